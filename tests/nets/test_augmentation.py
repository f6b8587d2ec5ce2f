"""Differentiable augmentation: ranges, independence of samples, gradients."""

import pytest
import torch

from mtgan.errors import UserError
from mtgan.nets import AUGMENTATIONS, augment

ALL = AUGMENTATIONS.names()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("shape", [(6, 1, 28, 28), (5, 3, 16, 24)])
def test_shape_gradient_and_randomness(name: str, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    x = torch.rand(shape, requires_grad=True)
    y = augment(x, [name])
    assert y.shape == x.shape
    (gradient,) = torch.autograd.grad((y**2).sum(), x)
    assert gradient.isfinite().all()
    assert (gradient != 0).any()
    assert not torch.equal(y, augment(x, [name]))
    torch.manual_seed(0)
    torch.rand(shape)
    assert torch.equal(y, augment(x, [name]))


@pytest.mark.parametrize("name", ALL)
def test_samples_do_not_mix(name: str) -> None:
    x = torch.rand(4, 3, 16, 16, requires_grad=True)
    (gradient,) = torch.autograd.grad(augment(x, [name])[1].sum(), x)
    assert (gradient[[0, 2, 3]] == 0).all()


def test_translation_shifts_by_at_most_an_eighth_and_pads_with_zero() -> None:
    x = torch.zeros(500, 1, 16, 32)
    x[:, :, 8, 16] = 1
    y = augment(x, ["translation"])
    rows, columns = (y.amax(axis).squeeze(1).argmax(1) for axis in (3, 2))
    assert set(rows.tolist()) == set(range(8 - 2, 8 + 3))
    assert set(columns.tolist()) == set(range(16 - 4, 16 + 5))
    assert (y.sum((1, 2, 3)) == 1).all()
    edge = augment(torch.ones(200, 1, 16, 16), ["translation"])
    assert set(edge.unique().tolist()) == {0.0, 1.0}


def test_cutout_hides_up_to_a_quarter() -> None:
    hidden = (augment(torch.ones(500, 2, 16, 16), ["cutout"]) == 0).float()
    assert torch.equal(hidden[:, 0], hidden[:, 1])
    share = hidden[:, 0].mean((1, 2))
    assert share.max() == 0.25
    assert share.min() >= 0.25 / 4


def test_color_changes_brightness_saturation_and_contrast_alone() -> None:
    flat = augment(torch.full((2000, 1, 4, 4), 0.2), ["color"])
    assert torch.allclose(flat, flat[:, :, :1, :1].expand_as(flat), atol=1e-6)
    shift = flat[:, 0, 0, 0] - 0.2
    assert -0.5 <= shift.min() < -0.45
    assert 0.45 < shift.max() < 0.5
    x = torch.randn(2000, 1, 8, 8)
    ratio = augment(x, ["color"]).std((1, 2, 3)) / x.std((1, 2, 3))  # gray: contrast alone
    assert 0.5 <= ratio.min() < 0.55
    assert 1.45 < ratio.max() <= 1.5


def test_none_and_unknown() -> None:
    x = torch.rand(2, 1, 8, 8)
    assert augment(x, []) is x
    with pytest.raises(UserError, match="no augmentation 'colour': did you mean 'color'"):
        augment(x, ["colour"])
