"""Self-attention: against PyTorch's, differentiated twice, and where it goes."""

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, max_pool2d, scaled_dot_product_attention

from mtgan.errors import UserError
from mtgan.nets import BACKBONES, DiscriminatorSettings, GeneratorSettings
from mtgan.nets.attention import Attended, SelfAttention, attend, unbound

WITH = [name for name in BACKBONES.written if BACKBONES.capability(name, "attention")]


def attention(channels: int, gamma: float) -> SelfAttention:
    torch.manual_seed(0)
    layer = SelfAttention(channels, unbound).double()
    with torch.no_grad():
        layer.gamma.fill_(gamma)
    return layer


@pytest.mark.parametrize("shape", [(2, 16, 6, 8), (2, 4, 7, 5)])
def test_it_is_pytorchs_attention_of_unscaled_products(shape: tuple[int, ...]) -> None:
    layer, x = attention(shape[1], 1.0), torch.randn(shape, dtype=torch.float64)
    pooled = [
        max_pool2d(conv2d(x, of.weight), 2, ceil_mode=True).flatten(2).transpose(1, 2)
        for of in (layer.key, layer.value)
    ]
    query = conv2d(x, layer.query.weight).flatten(2).transpose(1, 2)
    found = scaled_dot_product_attention(query, *pooled, scale=1.0)
    found = conv2d(found.transpose(1, 2).reshape(shape[0], -1, *shape[2:]), layer.output.weight)
    torch.testing.assert_close(layer(x), x + found)


def test_it_begins_as_the_identity_and_learns() -> None:
    layer, x = attention(8, 0.0), torch.randn(2, 8, 4, 4, dtype=torch.float64)
    assert torch.equal(layer(x), x)
    layer(x).square().sum().backward()
    assert layer.gamma.grad != 0


def test_it_can_be_differentiated_twice() -> None:
    layer = attention(4, 0.7)
    x = torch.randn(1, 4, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(layer, x)


def places(layers: list[nn.Module]) -> list[tuple[int, int]]:
    """Where attention is: (number of the layer, channels)."""
    return [
        (i, m.query.in_channels)
        for i, layer in enumerate(layers)
        for m in layer.modules()
        if isinstance(m, SelfAttention)
    ]


@pytest.mark.parametrize("name", WITH)
@pytest.mark.parametrize(("size", "seen"), [((32, 32), (16, 16)), ((28, 45), (14, 23))])
def test_it_goes_to_the_largest_map_that_is_small_enough(name: str, size, seen) -> None:
    backbone, given = BACKBONES.get(name)(), []
    settings = GeneratorSettings((3, *size), 6, 8, 3, "batch", attention=16)
    judging = DiscriminatorSettings((3, *size), 8, 3, attention=16, spectral_norm=True)
    for layers, x, y in (
        (backbone.generator_layers(settings), torch.randn(2, 6), (None,)),
        (backbone.discriminator_layers(judging), torch.randn(2, 3, *size), ()),
    ):
        (found,) = (m for m in nn.ModuleList(layers).modules() if isinstance(m, SelfAttention))
        found.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0].shape[2:]))
        for layer in layers:
            x = layer(x, *y)
    assert given == [seen, seen]
    assert all("parametrizations" in key for key in found.state_dict() if key != "gamma")


@pytest.mark.parametrize("name", WITH)
def test_layers_are_as_many_with_it_and_none_is_there_unasked(name: str) -> None:
    backbone = BACKBONES.get(name)()
    plain, with_it = (
        backbone.discriminator_layers(DiscriminatorSettings((3, 16, 16), 8, 3, attention=side))
        for side in (None, 8)
    )
    assert len(plain) == len(with_it)
    assert not places(plain)
    assert len(places(with_it)) == 1


def test_of_equal_maps_the_first_is_taken_and_too_small_a_size_refused() -> None:
    layers, maps = [nn.Identity() for _ in range(3)], [(8, 16, 20), (8, 8, 10), (8, 8, 10)]
    assert [isinstance(x, Attended) for x in attend(layers, maps, 9)] == [False, True, False]
    with pytest.raises(UserError, match=r"at most 7 pixels.*smallest here has 8; set attention to"):
        attend(layers, maps, 7)
