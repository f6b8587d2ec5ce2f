"""The exported generator between two labels: its ends, and what lies halfway, computed by hand."""

import numpy as np
import pytest
import torch
from torch.nn.functional import one_hot

import mtgan
from exporting.test_files import assert_same_images, module_of
from mtgan.data.pixels import to_bytes
from mtgan.errors import UserError
from needed import need_package


def test_between_labels_its_ends_are_the_samples_of_either(runs, tmp_path) -> None:
    """Of a generator whose latent the labels join; halfway, their codes are halves."""
    run = runs("ac-wgan-b")
    mtgan.export(run, tmp_path / "a.pt2", part="between")
    program = module_of(tmp_path / "a.pt2")
    first, second = (run.sample(6, {"fine": name}, seed=1) for name in "ad")
    z = torch.from_numpy(first.latents)
    a, b = torch.zeros(6, dtype=torch.int64), torch.full((6,), 3)
    for share, right in ((0.0, first), (1.0, second)):
        (found,) = program(z, a, b, torch.full((6,), share))
        assert_same_images(found.numpy(), right)
    x = torch.cat([z, (one_hot(a, 4) + one_hot(b, 4)) / 2], dim=1)
    with torch.no_grad():
        for layer in run.game().averaged().layers:
            x = layer(x, None)
    (found,) = program(z, a, b, torch.full((6,), 0.5))
    assert_same_images(found.numpy(), to_bytes(x).numpy())
    assert (np.asarray(first) != np.asarray(second)).any()


def test_between_labels_of_a_generator_that_normalizes_by_them(runs, tmp_path) -> None:
    run = runs("sagan")
    mtgan.export(run, tmp_path / "a.pt2", part="between")
    first, second = (run.sample(3, {"fine": name}, seed=1) for name in "bc")
    z, label = torch.from_numpy(first.latents), torch.tensor([1, 1, 1])
    share = torch.tensor([0.0, 1.0, 0.0])
    (found,) = module_of(tmp_path / "a.pt2")(z, label, label + 1, share)
    assert_same_images(found.numpy(), np.stack([first[0], second[1], first[2]]))


@pytest.mark.slow
def test_between_two_numbers(runs, tmp_path) -> None:
    """A number's code is linear in it, so that halfway is the number halfway."""
    run = runs("ccgan", bars=True)
    mtgan.export(run, tmp_path / "a.pt2", part="between")
    right = run.sample(2, {"place": [30.0, 45.0]}, seed=0)
    ends = torch.tensor([30.0, 30.0]), torch.tensor([60.0, 60.0])
    program = module_of(tmp_path / "a.pt2")
    (found,) = program(torch.from_numpy(right.latents), *ends, torch.tensor([0.0, 0.5]))
    assert_same_images(found.numpy(), right)


def test_without_labels_there_is_nothing_between(runs, tmp_path) -> None:
    with pytest.raises(UserError, match="wgan-gp trains a generator without labels"):
        mtgan.export(runs("wgan-gp"), tmp_path / "a.pt2", part="between")


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["labeled-images", "few-images", "ac-projection-gan-b"])
def test_it_becomes_onnx(name, runs, tmp_path) -> None:
    """An export checks itself."""
    need_package("onnxscript")
    need_package("onnxruntime")
    mtgan.export(runs(name), tmp_path / "a.onnx", part="between")
