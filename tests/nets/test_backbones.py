"""Backbones by rule: the thesis's tables at 32 pixels, and every supported size."""

from dataclasses import fields

import pytest
import torch
from torch import nn

from mtgan.errors import UserError
from mtgan.nets import BACKBONES, NORMALIZATIONS, DiscriminatorSettings, GeneratorSettings
from mtgan.nets.backbones.conv import pyramid
from mtgan.recipes.schema import ClassifierPart, DiscriminatorPart, GeneratorPart
from mtgan.testing import check_backbone
from toys import makes_photographs

SIZES = [(8, 8), (28, 28), (32, 32), (48, 48), (64, 64), (64, 128), (96, 96), (33, 45)]


# Those of canvases have tests of their own.
PICTURES = [name for name in BACKBONES.names() if makes_photographs(name)]


def generator(
    name: str, shape, width=8, kernel=5, normalization="batch", classes=0, inputs=10, **other
):
    settings = GeneratorSettings(shape, inputs, width, kernel, normalization, classes, **other)
    return BACKBONES.get(name)().generator_layers(settings)


def discriminator(name: str, shape, width=8, kernel=5, **other):
    settings = DiscriminatorSettings(shape, width, kernel, **other)
    backbone = BACKBONES.get(name)()
    return backbone.discriminator_layers(settings), backbone.feature_count(settings)


def run(layers: list[nn.Module], x: torch.Tensor, *y) -> torch.Tensor:
    for layer in layers:
        x = layer(x, *y)
    return x


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_size_both_ways(name: str, size: tuple[int, int], channels: int) -> None:
    check_backbone(name, (channels, *size))


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("size", [(6, 6), (300, 300), (4, 64)])
def test_sizes_that_cannot_be_made(name: str, size: tuple[int, int]) -> None:
    with pytest.raises(UserError, match=rf"{size[0]} x {size[1]}.*data.size"):
        BACKBONES.get(name)().check_shape((3, *size))


def test_resolutions_are_halved_rounding_up() -> None:
    assert pyramid(28, 28) == [(28, 28), (14, 14), (7, 7), (4, 4)]
    assert pyramid(32, 32) == [(32, 32), (16, 16), (8, 8), (4, 4)]
    assert pyramid(64, 128)[-1] == (4, 8)


def shapes(layers: list[nn.Module], kind: type) -> list[tuple[int, int]]:
    return [
        (m.in_channels, m.out_channels) for x in layers for m in x.modules() if isinstance(m, kind)
    ]


def test_the_thesis_networks_at_32_pixels() -> None:
    """Tables 4.2 and 4.3."""
    g = generator("conv", (3, 32, 32), width=64, inputs=128)
    assert g[0].linear.out_features == 4096
    assert shapes(g, nn.ConvTranspose2d) == [(256, 128), (128, 64), (64, 3)]
    assert all(
        m.kernel_size == (5, 5) and m.stride == (2, 2)
        for layer in g
        for m in layer.modules()
        if isinstance(m, nn.ConvTranspose2d)
    )
    d, features = discriminator("conv", (3, 32, 32), width=64)
    assert shapes(d, nn.Conv2d) == [(3, 64), (64, 128), (128, 256)]
    assert features == 4096


def test_normalized_layers_of_generator_discriminator_and_classifier() -> None:
    g = generator("conv", (3, 32, 32))
    assert [layer.normalization is not None for layer in g] == [True, True, True, False]
    for first in (False, True):
        layers, _ = discriminator(
            "conv", (3, 32, 32), normalization="batch", normalize_first_layer=first
        )
        assert [layer.normalization is not None for layer in layers] == [first, True, True]


def test_the_last_normalization_of_the_released_code() -> None:
    """Conditional in the blocks, and without labels before the last layer."""
    g = generator(
        "resnet",
        (3, 32, 32),
        normalization="conditional-batch",
        classes=4,
        last_normalization="batch",
    )
    assert [type(block.first_norm).__name__ for block in g[1:4]] == ["ConditionalBatch"] * 3
    assert type(g[4].norm).__name__ == "Batch"
    alike = generator("resnet", (3, 32, 32), normalization="conditional-batch", classes=4)
    assert type(alike[4].norm).__name__ == "ConditionalBatch"


def test_the_residual_networks_at_32_pixels() -> None:
    """Table D.1: eight layers each, 128 wide; the generator's first is FC 2048."""
    g = generator("resnet", (3, 32, 32), width=128, kernel=3)
    assert g[0].linear.out_features == 2048
    main = [
        c
        for layer in g
        for name, c in layer.named_modules()
        if isinstance(c, nn.Conv2d) and "shortcut" not in name
    ]
    assert [c.out_channels for c in main] == [128] * 6 + [3]
    d, features = discriminator("resnet", (3, 32, 32), width=128, kernel=3)
    main = [
        c
        for layer in d
        for name, c in layer.named_modules()
        if isinstance(c, nn.Conv2d) and "shortcut" not in name
    ]
    assert [c.out_channels for c in main] == [128] * 8
    assert features == 128


def test_odenas_discriminator_at_32_pixels() -> None:
    """Six 3 x 3 convolutions, strides 2 and 1 in turn, 16 to 512 channels."""
    d, features = discriminator("odena", (3, 32, 32), width=16, kernel=3)
    assert shapes(d, nn.Conv2d) == [
        (3, 16),
        (16, 32),
        (32, 64),
        (64, 128),
        (128, 256),
        (256, 512),
    ]
    strides = [m.stride[0] for x in d for m in x.modules() if isinstance(m, nn.Conv2d)]
    assert strides == [2, 1, 2, 1, 2, 1]
    assert features == 512
    g = generator("odena", (3, 32, 32), width=192)
    assert g[0].linear.out_features == 384
    assert shapes(g, nn.ConvTranspose2d) == [(24, 192), (192, 96), (96, 3)]


@pytest.mark.parametrize("name", NORMALIZATIONS.names())
@pytest.mark.parametrize("shape", [(6, 4), (6, 4, 5, 5)])
def test_normalizations_keep_shapes_and_center(name: str, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    layer = NORMALIZATIONS.get(name)(4, 3)
    x = 3 + 2 * torch.randn(*shape)
    y = torch.tensor([0, 1, 2, 0, 1, 2])
    if NORMALIZATIONS.capability(name, "embedded"):
        y = torch.zeros(6, 3)
    out = layer(x, y)
    assert out.shape == x.shape
    if name != "none":
        assert out.mean().abs() < 0.1


def test_conditional_normalization_reads_the_class() -> None:
    """Equation C.4: gain and bias are the class's own."""
    layer = NORMALIZATIONS.get("conditional-instance")(2, 3)
    with torch.no_grad():
        layer.gain.weight.copy_(torch.tensor([[1.0, 1.0], [2.0, 3.0], [1.0, 1.0]]))
        layer.bias.weight.copy_(torch.tensor([[0.0, 0.0], [5.0, 7.0], [0.0, 0.0]]))
    x = torch.randn(1, 2, 6, 6).expand(2, -1, -1, -1)
    out = layer(x, torch.tensor([0, 1]))
    expected = out[0] * torch.tensor([2.0, 3.0]).view(2, 1, 1) + torch.tensor([5.0, 7.0]).view(
        2, 1, 1
    )
    torch.testing.assert_close(out[1], expected)


@pytest.mark.parametrize(
    ("settings", "part", "others"),
    [
        (GeneratorSettings, GeneratorPart, {"conditioning", "teacher_forcing"}),
        (
            DiscriminatorSettings,
            DiscriminatorPart,
            {"conditioning", "augmentation", "adaptive_augmentation", "lecam"},
        ),
        (DiscriminatorSettings, ClassifierPart, set()),
    ],
)
def test_backbones_are_told_every_key_of_a_recipes_network(settings, part, others) -> None:
    told = {field.name for field in fields(settings)}
    assert set(part.model_fields) - told == others | {"backbone"}
    need = {"inputs": 3} if settings is GeneratorSettings else {}
    made = settings.of(part(width=7, kernel=3), shape=(1, 8, 8), **need)
    assert (made.width, made.kernel, made.shape) == (7, 3, (1, 8, 8))
    assert made.normalization == part().normalization


@pytest.mark.parametrize("name", PICTURES)
def test_spectral_norm_bounds_every_convolution(name: str) -> None:
    layers, _ = discriminator(name, (3, 16, 16), spectral_norm=True, kernel=3)
    x = torch.randn(2, 3, 16, 16)
    for _ in range(30):
        run(layers, x)
    for layer in layers:
        for module in layer.modules():
            if isinstance(module, nn.Conv2d):
                assert torch.linalg.matrix_norm(module.weight.flatten(1), 2) < 1.1


@pytest.mark.parametrize("name", ["conv", "odena"])
def test_the_dense_layer_can_be_normalized_feature_by_feature(name: str) -> None:
    torch.manual_seed(0)
    stem = generator(name, (3, 16, 16), stem_normalization="per-feature")[0]
    x = torch.randn(6, 10)
    dense = (x @ stem.linear.weight.T + stem.linear.bias).detach()
    normal = (dense - dense.mean(0)) / (dense.var(0, unbiased=False) + 1e-5).sqrt()
    assert torch.allclose(stem(x).flatten(1), normal.clamp_min(0), atol=1e-5)
    usual = generator(name, (3, 16, 16))[0]
    counts = [sum(p.numel() for p in s.normalization.parameters()) for s in (stem, usual)]
    assert counts == [2 * dense.shape[1], 2 * stem.shape[0]]
