"""Every backbone with our layers and with PyTorch's own: values, and gradients through one and two
derivatives. In float64 they agree to 1e-10 of a tensor's largest number, in float32 to 1e-4."""

import runpy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from mtgan.nets import BACKBONES, DiscriminatorSettings, GeneratorSettings, fast
from mtgan.nets.fast import convolutions, switch
from mtgan.objectives.penalties.gradient import gradient_penalty
from mtgan.parts import OUTPUTS

LARGEST_ERROR = {torch.float64: 1e-10, torch.float32: 1e-4}


def is_of_canvases(name: str) -> bool:
    return BACKBONES.capability(name, "outputs") != ("tanh",)


def networks(name: str, dtype: torch.dtype) -> tuple[nn.ModuleList, nn.Sequential]:
    """A generator and a discriminator, both in the layout that they are trained in."""
    torch.manual_seed(0)
    canvases = is_of_canvases(name)
    shape, kernel = ((1, 16, 12), 3) if canvases else ((3, 16, 16), 5)
    outputs = BACKBONES.capability(name, "outputs") or OUTPUTS.names()
    backbone = BACKBONES.get(name)()
    generator = GeneratorSettings(shape, 24, 8, kernel, "layer", output=outputs[0])
    critic = DiscriminatorSettings(shape, 8, kernel)
    made = nn.ModuleList(backbone.generator_layers(generator)).to(dtype)
    judged = nn.Sequential(*backbone.discriminator_layers(critic)).to(dtype)
    layout = torch.channels_last
    # No dropout: both ways must compute the same.
    return made.to(memory_format=layout).eval(), judged.to(memory_format=layout).eval()


def results(name: str, dtype: torch.dtype) -> list[Tensor]:
    """Samples, scores, and the gradients of a generator's loss and of a critic's with penalty."""
    generator, critic = networks(name, dtype)
    x = torch.randn(4, 24, generator=torch.Generator().manual_seed(1)).to(dtype)
    for layer in generator:
        x = layer(x, None)

    def score(samples: Tensor) -> Tensor:
        return critic(samples).flatten(1).sum(1)

    to_generator = torch.autograd.grad(score(x).mean(), [*generator.parameters()])
    fake, real = x.detach(), x.detach().flip(0) * 0.5
    epsilon = torch.linspace(0.1, 0.9, 4, dtype=dtype)
    loss = score(fake).mean() - score(real).mean()
    loss = loss + gradient_penalty(score, real, fake, epsilon)
    to_critic = torch.autograd.grad(loss, [*critic.parameters()])
    return [x.detach(), score(fake).detach(), loss.detach(), *to_generator, *to_critic]


def assert_same(found: list[Tensor], expected: list[Tensor], dtype: torch.dtype) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        largest = theirs.abs().max().clamp_min(1e-3)
        assert (ours - theirs).abs().max() / largest < LARGEST_ERROR[dtype]


@pytest.mark.parametrize("dtype", LARGEST_ERROR, ids=str)
@pytest.mark.parametrize("name", BACKBONES.names())
def test_both_are_the_same(name: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    with fast.plain_layers():
        expected = results(name, dtype)
    assert_same(results(name, dtype), expected, dtype)
    monkeypatch.setattr(convolutions, "_MANY", 0)  # as if there were many weights everywhere
    assert_same(results(name, dtype), expected, dtype)


def grad_functions(x: Tensor) -> set[str]:
    """Names of the derivatives behind a tensor."""
    found, left = set(), [x.grad_fn]
    while left:
        node = left.pop()
        if node is not None:
            found.add(node.name())
            left += [before for before, _ in node.next_functions]
    return found


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "Conv2d": lambda: fast.Conv2d(2, 2, 3, padding=1),
    "ConvTranspose2d": lambda: fast.ConvTranspose2d(2, 2, 5, stride=2, padding=2),
    "ConvMeanPool2d": lambda: fast.ConvMeanPool2d(2, 2, 3, padding=1),
    "UpsampleConv2d": lambda: fast.UpsampleConv2d(2, 2, 3, padding=1),
    "LeakyReLU": fast.LeakyReLU,
    "ReLU": fast.ReLU,
}


def test_every_layer_is_listed() -> None:
    kinds = [kind for kind in vars(fast).values() if isinstance(kind, type)]
    assert {kind.__name__ for kind in kinds} == set(LAYERS)


@pytest.mark.parametrize("name", LAYERS)
def test_nothing_of_ours_is_computed_when_it_is_switched_off(name: str) -> None:
    x = torch.randn(2, 2, 8, 8, requires_grad=True)
    layer = LAYERS[name]()

    def ours() -> set[str]:
        return {function for function in grad_functions(layer(x)) if function.startswith("_")}

    assert ours()
    with fast.plain_layers():
        with fast.plain_layers():
            assert not ours()
        assert not ours()
    assert ours()


@pytest.mark.parametrize(("value", "found"), [("1", False), ("0", True), ("", True)])
def test_the_variable_switches_a_whole_process(value: str, found: bool, monkeypatch) -> None:
    monkeypatch.setenv(switch.VARIABLE, value)
    assert runpy.run_path(switch.__file__)["is_fast"]() == found  # as at a process's first import
