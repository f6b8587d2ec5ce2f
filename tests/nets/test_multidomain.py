"""Backbones of canvases, and the output layers that know domains."""

import pytest
import torch

from mtgan.errors import UserError
from mtgan.nets import BACKBONES, DiscriminatorSettings, GeneratorSettings
from mtgan.nets.outputs import OUTPUTS
from mtgan.objectives.penalties import input_gradient

NAMES = [name for name in BACKBONES.names() if name.startswith("multidomain-")]
SHAPE = (1, 18, 11)  # divides by nothing


def generator(name: str, output: str = "softmax", vocabularies: tuple[int, ...] = ()):
    torch.manual_seed(0)
    settings = GeneratorSettings(
        SHAPE, inputs=5, width=8, kernel=3, normalization="batch", output=output
    )
    return BACKBONES.get(name)().generator_layers(settings)


def run(layers, x, y=None):
    for layer in layers:
        x = layer.eval()(x, y)
    return x


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("output", ["tanh", "sigmoid", "softmax", "by-domain"])
def test_generators_fill_the_canvas_within_its_range(name, output):
    canvases = run(generator(name, output), torch.randn(3, 5))
    assert canvases.shape == (3, *SHAPE)
    assert canvases.abs().max() <= 1
    if output == "softmax":
        torch.testing.assert_close(((canvases + 1) / 2).sum(3), torch.ones(3, 1, 18))


@pytest.mark.parametrize("name", NAMES)
def test_discriminators_give_as_many_features_as_they_say_and_have_two_derivatives(name):
    torch.manual_seed(0)
    settings = DiscriminatorSettings(SHAPE, width=8, kernel=3)
    backbone = BACKBONES.get(name)()
    layers = torch.nn.Sequential(*backbone.discriminator_layers(settings)).eval()
    x = torch.randn(3, *SHAPE)
    assert layers(x).flatten(1).shape == (3, backbone.feature_count(settings))
    slope = input_gradient(lambda x: layers(x).flatten(1).sum(1), x)
    assert slope.shape == x.shape
    slope.square().sum().backward()
    moved = [p.grad for p in layers.parameters() if p.grad is not None]
    assert moved
    assert all(torch.isfinite(gradient).all() for gradient in moved)


@pytest.mark.parametrize("name", NAMES)
def test_colored_samples_are_refused_with_the_remedy(name):
    with pytest.raises(UserError, match="--data image="):
        BACKBONES.get(name)().check_shape((3, 32, 32))


def test_far_positions_meet_in_one_block():
    settings = DiscriminatorSettings((1, 32, 10), width=8, kernel=3)
    torch.manual_seed(0)
    first, *rest = BACKBONES.get("multidomain-residual")().discriminator_layers(settings)
    x = torch.randn(1, 1, 32, 10, requires_grad=True)
    h = rest[0](first(x))  # one block: [1, 8 positions, 8 channels]
    h[0, 0].sum().backward()
    assert x.grad[0, 0, 31].abs().max() > 0


class TestByDomain:
    layer = OUTPUTS.get("by-domain")((0, 3, 5), 6)
    x = torch.randn(3, 1, 4, 6, generator=torch.Generator().manual_seed(0))

    def test_pixels_by_tanh_and_tokens_as_distributions_over_their_own_alphabet(self):
        out = self.layer(self.x, torch.tensor([0, 1, 2]))
        torch.testing.assert_close(out[0], self.x[0].tanh())
        for sample, size in ((1, 3), (2, 5)):
            rows = (out[sample] + 1) / 2
            torch.testing.assert_close(rows[..., :size], self.x[sample, ..., :size].softmax(-1))
            assert (rows[..., size:] == 0).all()

    def test_gradients_are_finite_beside_what_is_masked(self):
        x = self.x.clone().requires_grad_(True)
        self.layer(x, torch.tensor([0, 1, 2])).square().sum().backward()
        assert torch.isfinite(x.grad).all()
        assert (x.grad[1, ..., 3:] == 0).all()

    def test_without_classes_there_is_one_domain(self):
        layer = OUTPUTS.get("by-domain")((6,), 6)
        torch.testing.assert_close(layer(self.x), 2 * self.x.softmax(-1) - 1)
