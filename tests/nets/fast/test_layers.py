"""The quick layers against PyTorch's own, value for value and through two derivatives."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from mtgan.nets.fast import (
    Conv2d,
    ConvMeanPool2d,
    ConvTranspose2d,
    LeakyReLU,
    ReLU,
    UpsampleConv2d,
    convolutions,
    input_gradients_only,
    leaky_relu,
    relu,
)
from mtgan.objectives.penalties.gradient import gradient_penalty

SHAPES = [
    # in, out, kernel, stride, padding, height, width
    (1, 3, 5, 2, 2, 8, 8),
    (3, 2, 5, 2, 2, 7, 9),
    (2, 4, 3, 1, 1, 6, 5),
    (2, 3, 1, 1, 0, 4, 4),
    (2, 2, 4, 2, 1, 8, 6),
    (2, 2, 4, 2, 0, 7, 6),
    (17, 1, 3, 2, 1, 6, 7),
]


def pair(spec: tuple[int, ...]) -> tuple[Conv2d, nn.Conv2d, torch.Tensor]:
    torch.manual_seed(sum(spec))
    a, b, k, s, p, h, w = spec
    ours = Conv2d(a, b, k, s, p).double()
    theirs = nn.Conv2d(a, b, k, s, p).double()
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs, torch.randn(2, a, h, w, dtype=torch.float64, requires_grad=True)


@pytest.fixture(params=["direct", "winograd"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to convolve on CPU; every layer has weights enough for the second one."""
    if request.param == "winograd":
        monkeypatch.setattr(convolutions, "_MANY", 0)
    return request.param


@pytest.mark.parametrize("spec", SHAPES)
def test_convolution_derivatives_equal_finite_differences(spec: tuple[int, ...], way: str) -> None:
    ours, theirs, x = pair(spec)
    torch.testing.assert_close(ours(x), theirs(x))

    def call(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(ours, {"weight": w, "bias": b}, (x,))

    inputs = (x, ours.weight, ours.bias)
    assert torch.autograd.gradcheck(call, inputs, fast_mode=True)
    assert torch.autograd.gradgradcheck(call, inputs, fast_mode=True)


@pytest.mark.parametrize(
    "options",
    [
        {"groups": 2},
        {"dilation": 2},
        {"padding": "same"},
        {"padding": "valid", "bias": False},
        {"padding": 1, "padding_mode": "reflect"},
        {"padding": (2, 1), "stride": (1, 2), "bias": False},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [Conv2d, ConvMeanPool2d, UpsampleConv2d])
def test_every_option_gives_what_the_plain_layers_give(kind, options) -> None:
    torch.manual_seed(0)
    ours = kind(4, 6, 3, **options).double()
    plain = nn.Conv2d(4, 6, 3, **options).double()
    plain.load_state_dict(ours.state_dict())
    for sides in [(8, 6), (7, 9)]:
        x = torch.randn(2, 4, *sides, dtype=torch.float64)
        torch.testing.assert_close(ours(x), resampled(kind, plain, x))
    if kind is Conv2d:
        torch.testing.assert_close(ours(x[0]), plain(x[0]))  # unbatched


def resampled(kind: type, plain: nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
    """What the layers stand for, in PyTorch's own."""
    if kind is UpsampleConv2d:
        return plain(functional.interpolate(x, scale_factor=2))
    if kind is ConvMeanPool2d:
        return functional.avg_pool2d(plain(x), 2, ceil_mode=True)
    return plain(x)


@pytest.mark.parametrize("kind", [ConvMeanPool2d, UpsampleConv2d])
@pytest.mark.parametrize("spec", [(2, 3, 3, 1, 6, 4), (3, 2, 5, 2, 4, 6), (2, 20, 2, 0, 4, 5)])
def test_convolutions_beside_resampling(kind, spec, way) -> None:
    inputs, outputs, k, p, h, w = spec
    torch.manual_seed(sum(spec))
    ours = kind(inputs, outputs, k, padding=p).double()
    plain = nn.Conv2d(inputs, outputs, k, padding=p).double()
    plain.load_state_dict(ours.state_dict())
    x = torch.randn(2, inputs, h, w, dtype=torch.float64, requires_grad=True)
    y = ours(x)
    torch.testing.assert_close(y, resampled(kind, plain, x))
    # Second derivatives with respect to everything, along random directions.
    g = torch.randn_like(y, requires_grad=True)
    u = torch.randn_like(x)
    for a, b in zip(
        second_derivatives(y, x, g, u, ours),
        second_derivatives(resampled(kind, plain, x), x, g, u, plain),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


def second_derivatives(y, x, g, u, layer) -> tuple[torch.Tensor, ...]:
    (gx,) = torch.autograd.grad(y, x, g, create_graph=True)
    first = torch.autograd.grad(y, [x, *layer.parameters()], g.detach(), retain_graph=True)
    return *first, *torch.autograd.grad((gx * u).sum(), [g, layer.weight])


def test_upsampling_to_odd_sides_runs_as_written() -> None:
    layer = UpsampleConv2d(2, 3, 3, padding=1)
    x = torch.randn(2, 2, 4, 4)
    expected = nn.Conv2d.forward(layer, functional.interpolate(x, size=(7, 8)))
    torch.testing.assert_close(layer(x, (7, 8)), expected)
    torch.testing.assert_close(layer(x, (8, 8)), layer(x))


@pytest.mark.parametrize("outputs", [1, 3, 16, 17])
@pytest.mark.parametrize(
    ("kernel", "padding", "extra"),
    [(5, 2, 1), (5, 2, 0), (4, 1, 0), (3, 1, 1), (2, 0, 1), (1, 0, 1)],
)
def test_transposed_convolution_equals_the_plain_one(outputs, kernel, padding, extra, way) -> None:
    torch.manual_seed(0)
    options = {"stride": 2, "padding": padding, "output_padding": extra}
    ours = ConvTranspose2d(4, outputs, kernel, **options).double()
    plain = nn.ConvTranspose2d(4, outputs, kernel, **options).double()
    plain.load_state_dict(ours.state_dict())
    x = torch.randn(2, 4, 3, 5, dtype=torch.float64, requires_grad=True)
    results = []
    for layer in (ours, plain):
        y = layer(x)
        loss = y.sin().sum()
        results.append([y, *torch.autograd.grad(loss, [x, *layer.parameters()])])
    torch.testing.assert_close(*results)


def test_transposed_convolution_with_a_size_asked_for() -> None:
    layer = ConvTranspose2d(2, 3, 5, stride=2, padding=2)
    x = torch.randn(1, 2, 4, 4)
    for sides in ([7, 7], [8, 7]):
        expected = nn.ConvTranspose2d.forward(layer, x, sides)
        torch.testing.assert_close(layer(x, sides), expected)
    torch.testing.assert_close(layer(x[0]), nn.ConvTranspose2d.forward(layer, x[0]))


def test_relu_and_the_slopes_refused() -> None:
    x = torch.linspace(-2, 2, 9, dtype=torch.float64, requires_grad=True)
    for ours in (ReLU(), relu):
        (mine,) = torch.autograd.grad(ours(x).sum(), x)
        (theirs,) = torch.autograd.grad(functional.relu(x).sum(), x)
        assert torch.equal(ours(x), functional.relu(x))
        assert torch.equal(mine, theirs)
    with pytest.raises(ValueError, match="slope >= 0"):
        leaky_relu(x, -0.1)


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
def test_a_whole_critic_step_equals_the_plain_one(dtype, tolerance, seed, layout, way) -> None:
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


@pytest.mark.parametrize("outputs", [4, 5])
def test_layers_of_many_weights_take_fewer_multiplications(
    outputs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where they can: at odd numbers of outputs they cannot."""
    side = 2 * outputs
    x = torch.randn(2, 128, side, side, requires_grad=True)
    layer, back = Conv2d(128, 256, 5, 2, 2), ConvTranspose2d(256, 128, 5, 2, 2, 1)
    g = torch.randn(2, 256, outputs, outputs)
    expected = [functional.conv2d(x, layer.weight, layer.bias, 2, 2)]
    expected += torch.autograd.grad(expected[0], [x, layer.weight], g)
    expected.append(functional.conv_transpose2d(g, back.weight, back.bias, 2, 2, 1))
    if outputs == 4:
        for name in ("conv2d", "conv_transpose2d"):
            monkeypatch.delattr(functional, name)
    found = [layer(x)]
    found += torch.autograd.grad(found[0], [x, layer.weight], g)
    found.append(back(g))
    for a, b in zip(found, expected, strict=True):
        assert (a - b).norm() < 1e-5 * b.norm()


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


@pytest.mark.parametrize("kind", [Conv2d, ConvMeanPool2d, UpsampleConv2d, ConvTranspose2d])
def test_copies_and_states_are_those_of_the_plain_layer(kind) -> None:
    torch.manual_seed(0)
    ours = kind(2, 3, 3)
    torch.manual_seed(0)
    plain = (nn.ConvTranspose2d if kind is ConvTranspose2d else nn.Conv2d)(2, 3, 3)
    torch.testing.assert_close(dict(ours.state_dict()), dict(plain.state_dict()))
    twin = copy.deepcopy(ours)
    x = torch.randn(1, 2, 5, 5)
    torch.testing.assert_close(twin(x), ours(x))


def test_bf16_autocast_of_a_generator() -> None:
    net = nn.Sequential(
        UpsampleConv2d(2, 4, 3, padding=1),
        ConvTranspose2d(4, 3, 5, 2, 2, 1),
        ConvMeanPool2d(3, 3, 3, padding=1),
    )
    x = torch.randn(2, 2, 4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        y = net(x)
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), net(x), atol=0.05, rtol=0.05)
    y.float().square().mean().backward()
    assert all(p.grad.dtype == torch.float32 for p in net.parameters())


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


def test_images_of_one_channel_are_convolved_in_channels_last_layout() -> None:
    """Both layouts fit them, and what follows is slow in the other one."""
    layer = Conv2d(1, 16, 5, stride=2, padding=2).to(memory_format=torch.channels_last)
    x = torch.randn(3, 1, 8, 8, requires_grad=True)
    y = layer(x)
    assert y.is_contiguous(memory_format=torch.channels_last)
    assert not y.is_contiguous()
    expected = functional.conv2d(x, layer.weight, layer.bias, 2, 2)
    assert torch.allclose(y, expected, atol=1e-6)
    ours, theirs = (torch.autograd.grad(z.square().sum(), layer.weight)[0] for z in (y, expected))
    assert torch.allclose(ours, theirs, rtol=1e-4)
