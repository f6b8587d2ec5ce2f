"""The residual pairs of SN-GAN and R3GAN, and spectral normalization of generators."""

import math

import pytest
import torch
from torch import nn

from mtgan.nets import BACKBONES, DiscriminatorSettings, GeneratorSettings, initialize
from mtgan.nets.backbone import bound_all
from mtgan.nets.backbones.r3gan import Block, groups_of
from mtgan.nets.backbones.resnet import FirstBlock, Summary
from mtgan.training import train
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from toys import make_data, small_recipe


def pair(name: str, side: int, width: int) -> tuple[list[nn.Module], list[nn.Module]]:
    backbone, shape = BACKBONES.get(name)(), (3, side, side)
    return (
        backbone.generator_layers(GeneratorSettings(shape, 16, width, 3, "batch")),
        backbone.discriminator_layers(DiscriminatorSettings(shape, width, 3)),
    )


@pytest.mark.parametrize(
    ("side", "stem", "up", "down"),
    [
        (32, 64, [64] * 3, [64] * 4),  # table 4
        (48, 512, [256, 128, 64], [64, 128, 256, 512, 1024]),  # table 5
        (128, 1024, [1024, 512, 256, 128, 64], [64, 128, 256, 512, 1024, 1024]),  # table 6
    ],
)
def test_channels_of_sn_gan(side: int, stem: int, up: list[int], down: list[int]) -> None:
    with torch.device("meta"):
        generator, discriminator = pair("sngan", side, 64)
    first, *blocks, _ = generator
    assert first.shape[0] == stem
    assert [block.second.out_channels for block in blocks] == up
    blocks = [layer.block if isinstance(layer, Summary) else layer for layer in discriminator]
    assert isinstance(blocks[0], FirstBlock)
    assert [block.second.out_channels for block in blocks] == down


@pytest.mark.parametrize(("side", "last"), [(16, 8), (28, 7), (32, 8), (48, 3), (64, 4)])
def test_sn_gan_sums_over_positions(side: int, last: int) -> None:
    _, layers = pair("sngan", side, 4)
    x = torch.randn(2, 3, side, side)
    for layer in layers[:-1]:
        x = layer(x)
    inside = layers[-1].block(x)
    assert inside.shape[2:] == (last, last)
    torch.testing.assert_close(layers[-1](x), inside.relu().mean((2, 3)) * last**2)


def test_stages_of_r3gan_at_256_pixels() -> None:
    """96 to 768 channels, as the source has them for FFHQ at 256 pixels."""
    with torch.device("meta"):
        generator, discriminator = pair("r3gan", 256, 96)
    expected = [768] * 4 + [384, 192, 96]
    assert [layer.blocks[0].reduce.out_channels for layer in generator[:-1]] == expected
    assert [layer.blocks[0].reduce.out_channels for layer in discriminator] == expected[::-1]
    assert {len(layer.blocks) for layer in discriminator} == {2}
    block = discriminator[-1].blocks[0]
    assert (block.mix.groups, block.mix.in_channels) == (96, 1536)


@pytest.mark.parametrize(("channels", "groups"), [(16, 1), (48, 3), (8, 1), (38, 2), (1536, 96)])
def test_groups_have_sixteen_channels_or_a_few_more(channels: int, groups: int) -> None:
    assert groups_of(channels) == groups


@pytest.mark.parametrize("spectral_norm", [False, True])
def test_a_block_of_r3gan_begins_as_the_identity(spectral_norm: bool) -> None:
    settings = DiscriminatorSettings((3, 8, 8), 8, 3, spectral_norm=spectral_norm)
    block = Block(settings, 8)
    initialize(block, "he-normal", torch.Generator().manual_seed(0))
    x = torch.randn(2, 8, 8, 8)
    made = block(x)
    assert made.isfinite().all()
    assert torch.equal(made, x) == (not spectral_norm)  # zero has no direction to keep


def test_he_normal_keeps_the_scale_through_leaky_relus() -> None:
    layers = nn.Sequential(*[m for _ in range(6) for m in (nn.Linear(512, 512), nn.LeakyReLU(0.2))])
    initialize(layers, "he-normal", torch.Generator().manual_seed(0))
    x = torch.randn(64, 512, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert abs(math.log(layers(x).square().mean() / x.square().mean())) < 0.3


@pytest.mark.parametrize("name", ["conv", "resnet", "r3gan"])
def test_every_layer_of_a_generator_is_bound(name: str) -> None:
    torch.manual_seed(0)
    backbone, shape = BACKBONES.get(name)(), (3, 16, 16)
    settings = GeneratorSettings(shape, 6, 8, 3, "batch", spectral_norm=True)
    layers = backbone.generator_layers(settings)
    bound_all(layers)
    for _ in range(40):
        x = torch.randn(4, 6)
        for layer in layers:
            x = layer(x, None)
    for module in (m for layer in layers for m in layer.modules()):
        if isinstance(module, nn.Linear | nn.modules.conv._ConvNd):
            weight = module.weight
            if isinstance(module, nn.ConvTranspose2d):
                weight = weight.transpose(0, 1)
            assert 0.9 < torch.linalg.matrix_norm(weight.flatten(1), 2) < 1.1


def test_a_bound_generator_trains_and_its_average_is_kept(tmp_path) -> None:
    recipe = small_recipe("sngan-resnet", generator__spectral_norm=True, training__steps=2)
    run = train(recipe, make_data(), tmp_path / "run", quiet=True)
    game = Game(recipe, DatasetInfo.of(make_data()))
    assert any("parametrizations" in name for name in game.tensors())
    assert run.sample(2).shape == (2, 1, 16, 16)
