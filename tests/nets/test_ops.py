"""The quick layers against PyTorch's own, value for value and through two derivatives."""

import copy

import pytest
import torch
from torch import nn

from mtgan.nets.ops import Conv2d, LeakyReLU, input_gradients_only
from mtgan.objectives.penalties import gradient_penalty

SHAPES = [
    # in, out, kernel, stride, padding, height, width
    (1, 3, 5, 2, 2, 8, 8),
    (3, 2, 5, 2, 2, 7, 9),
    (2, 4, 3, 1, 1, 6, 5),
    (2, 3, 1, 1, 0, 4, 4),
    (2, 2, 4, 2, 1, 8, 6),
]


def pair(spec: tuple[int, ...]) -> tuple[Conv2d, nn.Conv2d, torch.Tensor]:
    torch.manual_seed(sum(spec))
    a, b, k, s, p, h, w = spec
    ours = Conv2d(a, b, k, s, p).double()
    theirs = nn.Conv2d(a, b, k, s, p).double()
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs, torch.randn(2, a, h, w, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("spec", SHAPES)
def test_convolution_derivatives_equal_finite_differences(spec: tuple[int, ...]) -> None:
    ours, theirs, x = pair(spec)
    torch.testing.assert_close(ours(x), theirs(x))

    def call(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(ours, {"weight": w, "bias": b}, (x,))

    inputs = (x, ours.weight, ours.bias)
    assert torch.autograd.gradcheck(call, inputs, fast_mode=True)
    assert torch.autograd.gradgradcheck(call, inputs, fast_mode=True)


@pytest.mark.parametrize("slope", [0.2, 0.01, 0.0])
def test_leaky_relu_derivatives(slope: float) -> None:
    x = torch.tensor([-2.0, -0.3, 0.4, 3.0], dtype=torch.float64, requires_grad=True)
    layer = LeakyReLU(slope)
    torch.testing.assert_close(layer(x), nn.functional.leaky_relu(x, slope))
    assert torch.autograd.gradcheck(layer, (x,))
    assert torch.autograd.gradgradcheck(layer, (x,))
    (at_zero,) = torch.autograd.grad(layer(z := torch.zeros(1, requires_grad=True)), z)
    (theirs,) = torch.autograd.grad(
        nn.functional.leaky_relu(z := torch.zeros(1, requires_grad=True), slope), z
    )
    assert at_zero == theirs


def critic(quick: bool) -> nn.Sequential:
    convolution, activation = (
        (Conv2d, lambda: LeakyReLU(0.2)) if quick else (nn.Conv2d, lambda: nn.LeakyReLU(0.2))
    )
    return nn.Sequential(
        convolution(3, 6, 5, 2, 2),
        activation(),
        convolution(6, 8, 5, 2, 2),
        activation(),
        convolution(8, 8, 3, 1, 1),
        activation(),
        nn.Flatten(),
        nn.Linear(8 * 16, 1),
    )


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 2e-4)])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_whole_critic_step_equals_the_plain_one(dtype, tolerance, seed, layout) -> None:
    torch.manual_seed(seed)
    quick, plain = critic(True).to(dtype), critic(False).to(dtype)
    plain.load_state_dict(quick.state_dict())
    quick = quick.to(memory_format=layout)
    real, fake = (torch.randn(5, 3, 16, 16, dtype=dtype) for _ in range(2))
    epsilon = torch.rand(5, dtype=dtype)
    gradients = []
    for net in (quick, plain):
        loss = net(fake).mean() - net(real).mean()
        loss = loss + 10 * gradient_penalty(lambda x, n=net: n(x)[:, 0], real, fake, epsilon)
        loss.backward()
        gradients.append([p.grad for p in net.parameters()])
    for a, b in zip(*gradients, strict=True):
        assert (a - b).norm() <= tolerance * b.norm()


def test_input_gradients_only_skips_weights_and_ends() -> None:
    layer = Conv2d(1, 1, 3, 1, 1)
    x = torch.randn(1, 1, 4, 4, requires_grad=True)
    with input_gradients_only():
        layer(x).sum().backward()
    assert x.grad is not None
    assert layer.weight.grad is None
    layer(x).sum().backward()
    assert layer.weight.grad is not None


def test_nothing_is_left_to_propagate_behind_the_penalty() -> None:
    """The penalty's backward must not revisit the forward pass: the input gets no gradient."""
    net = critic(True)
    x = torch.randn(2, 3, 16, 16, requires_grad=True)
    with input_gradients_only():
        (slope,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
    again = torch.autograd.grad(slope.square().sum(), x, allow_unused=True)
    assert again == (None,)


def test_copies_and_states_are_those_of_the_plain_layer() -> None:
    ours = Conv2d(2, 3, 3)
    assert ours.state_dict().keys() == nn.Conv2d(2, 3, 3).state_dict().keys()
    twin = copy.deepcopy(ours)
    x = torch.randn(1, 2, 5, 5)
    torch.testing.assert_close(twin(x), ours(x))


def test_bf16_autocast() -> None:
    net = critic(True)
    x = torch.randn(4, 3, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        loss = gradient_penalty(lambda s: net(s)[:, 0], x, -x, torch.rand(4))
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad is None or p.grad.isfinite().all() for p in net.parameters())
    assert net[0].weight.grad is not None
    assert net[0].weight.grad.dtype == torch.float32
