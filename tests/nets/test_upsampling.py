"""How generators double resolutions: against PyTorch's own operations, at even and odd sides."""

import pytest
import torch
from torch.nn.functional import conv2d, interpolate, pixel_shuffle

from mtgan.nets import BACKBONES, GeneratorSettings
from mtgan.nets.fast import ConvTranspose2d
from mtgan.nets.fast.convolutions import interleaved
from mtgan.nets.upsampling import UPSAMPLINGS, Nearest, SubPixel

WITH_CHOICE = [n for n in BACKBONES.written if BACKBONES.capability(n, "upsamplings")]
SIDES = [((4, 4), (8, 8)), ((4, 7), (7, 14))]


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kernel", [3, 4, 5])
@pytest.mark.parametrize(("small", "large"), SIDES)
def test_nearest_repeats_pixels_and_convolves(kernel: int, small, large) -> None:
    x, layer = random(2, 3, *small), Nearest(3, 2, kernel, small, large)
    weight, bias = layer.convolution.weight, layer.convolution.bias
    plain = conv2d(interpolate(x, large, mode="nearest"), weight, bias, padding=kernel // 2)
    torch.testing.assert_close(layer(x), plain[:, :, : large[0], : large[1]])


@pytest.mark.parametrize("kernel", [3, 4, 5])
@pytest.mark.parametrize(("small", "large"), SIDES)
def test_sub_pixel_gives_every_place_its_own_kernel(kernel: int, small, large) -> None:
    x, layer = random(2, 3, *small), SubPixel(3, 2, kernel, small, large)
    made = layer(x)
    assert made.shape == (2, 2, *large)
    many = conv2d(x, layer.convolution.weight, layer.convolution.bias, padding=kernel // 2)
    for row in range(2):
        for column in range(2):
            found = made[:, :, row::2, column::2]
            expected = many[:, 2 * (2 * row + column) :][:, :2]
            _, _, height, width = found.shape
            torch.testing.assert_close(found, expected[:, :, :height, :width])


def test_depth_to_space_is_pixel_shuffle_of_channels_in_another_order() -> None:
    x = random(2, 12, 4, 5)
    as_pytorch = x.view(2, 4, 3, 4, 5).transpose(1, 2).reshape(2, 12, 4, 5)
    assert torch.equal(interleaved(x), pixel_shuffle(as_pytorch, 2))


@pytest.mark.parametrize("name", WITH_CHOICE)
@pytest.mark.parametrize("upsampling", [None, *UPSAMPLINGS])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 33, 45)])
def test_every_choice_makes_every_size(name: str, upsampling: str | None, shape) -> None:
    settings = GeneratorSettings(shape, 6, 8, 5, "batch", upsampling=upsampling)
    layers = BACKBONES.get(name)().generator_layers(settings)
    x = random(3, 6)
    for layer in layers:
        x = layer(x, None)
    assert x.shape == (3, *shape)
    x.square().sum().backward()
    assert all(p.grad is not None for layer in layers for p in layer.parameters())
    transposed = any(isinstance(m, ConvTranspose2d) for layer in layers for m in layer.modules())
    assert transposed == (upsampling in {None, "transposed"})


def test_what_recipes_may_ask_for_is_there() -> None:
    for name in WITH_CHOICE:
        assert BACKBONES.capability(name, "upsamplings") == tuple(UPSAMPLINGS)
