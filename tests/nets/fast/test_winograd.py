"""Convolutions with fewer multiplications against PyTorch's own, through two derivatives."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from mtgan.nets.fast import input_gradients_only, winograd

KERNELS = {1: (2, 3), 2: (4, 5, 6)}


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[tuple[int, ...], ...]:
    """Size, kernel, stride and padding of one with even outputs."""
    axes = []
    for stride in draw(st.tuples(*[st.sampled_from([1, 2])] * 2)):
        kernel = draw(st.sampled_from(KERNELS[stride]))
        reach = (draw(st.sampled_from([2, 4, 6])) - 1) * stride + kernel
        padding = draw(st.integers(0, min(kernel - 1, (reach - 1) // 2)))
        size = reach - 2 * padding + draw(st.integers(0, stride - 1))
        axes.append((size, kernel, stride, padding))
    return tuple(zip(*axes, strict=True))


def outputs_of(of: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    return tuple((n + 2 * p - k) // s + 1 for n, k, s, p in zip(*of, strict=True))


def derivatives(y: Tensor, inputs: list[Tensor], g: Tensor) -> list[Tensor]:
    """First ones, and second ones along a fixed direction that meets every pair of inputs."""
    first = torch.autograd.grad(y, inputs, g, create_graph=True)
    total = sum((d * d.detach().cos()).sum() + d.square().sum() for d in first)
    return [*first, *torch.autograd.grad(total, [*inputs[:2], g])]


@settings(deadline=None, max_examples=60)
@given(convolutions(), st.integers(1, 3), st.integers(0, 2**16), st.sampled_from([60, 10**6]))
def test_both_directions_equal_the_plain_ones(of, n: int, seed: int, at_once: int) -> None:
    size, kernel, stride, padding = of
    torch.manual_seed(seed)
    options = {"dtype": torch.float64, "requires_grad": True}
    x = torch.randn(n, 3, *size, **options)
    w = torch.randn(4, 3, *kernel, **options)
    b = torch.randn(4, **options)
    before = winograd._AT_ONCE
    winograd._AT_ONCE = at_once  # also in several parts
    try:
        plan = winograd.plan(size, outputs_of(of), kernel, stride, padding)
        assert plan is not None
        expected = functional.conv2d(x, w, b, stride, padding)
        g = torch.randn_like(expected, requires_grad=True)
        found = winograd.convolve(plan, x, w, b)
        torch.testing.assert_close(found, expected)
        for one, two in zip(
            derivatives(found, [x, w, b], g), derivatives(expected, [x, w, b], g), strict=True
        ):
            torch.testing.assert_close(one, two)
        # The transpose, without a twin for sizes that PyTorch cannot ask for: <g, C x> = <C' g, x>.
        back = winograd.transposed(plan, g, w, None)
        u = torch.randn_like(back, requires_grad=True)
        (twin,) = torch.autograd.grad(expected, x, g, create_graph=True)
        torch.testing.assert_close(back, twin)
        for one, two in zip(
            derivatives(back, [g, w], u), derivatives(twin, [g, w], u), strict=True
        ):
            torch.testing.assert_close(one, two)
        bias = torch.arange(3.0, dtype=torch.float64)
        shifted = winograd.transposed(plan, g, w, bias)
        torch.testing.assert_close(shifted - back, bias.view(3, 1, 1).expand_as(back))
    finally:
        winograd._AT_ONCE = before


@pytest.mark.parametrize(
    ("size", "kernel", "stride"), [(10, 5, 2), (8, 3, 2), (8, 7, 2), (8, 5, 1), (8, 6, 3)]
)
def test_what_it_cannot_do_has_no_plan(size: int, kernel: int, stride: int) -> None:
    padding = kernel // 2
    outputs = (size + 2 * padding - kernel) // stride + 1
    assert (
        winograd.plan((size,) * 2, (outputs,) * 2, (kernel,) * 2, (stride,) * 2, (padding,) * 2)
        is None
    )


def test_products_fall_to_half() -> None:
    """49 points for four outputs of 5 x 5 at stride 2 instead of 100, 16 of 3 x 3 instead of 36."""
    for kernel, stride, products in ((5, 2, 49), (4, 2, 36), (6, 2, 64), (3, 1, 16)):
        plan = winograd.plan((8, 8), (2, 2), (kernel,) * 2, (stride,) * 2, (0, 0))
        assert plan is not None
        assert sum(phases * points for phases, points in plan.points.items()) == products


def test_rounding_is_a_small_multiple_of_the_plain_ones() -> None:
    torch.manual_seed(0)
    x, w = torch.randn(16, 128, 8, 8), torch.randn(256, 128, 5, 5)
    exact = functional.conv2d(x.double(), w.double(), None, 2, 2)
    plan = winograd.plan((8, 8), (4, 4), (5, 5), (2, 2), (2, 2))
    assert plan is not None
    ours = (winograd.convolve(plan, x, w, None) - exact).norm() / exact.norm()
    plain = (functional.conv2d(x, w, None, 2, 2) - exact).norm() / exact.norm()
    assert ours < 3 * plain


def test_images_are_channels_last_and_weights_are_left_out_when_not_asked_for() -> None:
    plan = winograd.plan((8, 8), (4, 4), (5, 5), (2, 2), (2, 2))
    assert plan is not None
    x, w = torch.randn(2, 4, 8, 8, requires_grad=True), torch.randn(6, 4, 5, 5, requires_grad=True)
    y = winograd.convolve(plan, x, w, None)
    assert y.is_contiguous(memory_format=torch.channels_last)
    with input_gradients_only(), torch.profiler.profile() as profile:
        (gx,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    assert gx.is_contiguous(memory_format=torch.channels_last)
    # For the gradient of x alone.
    assert sum(e.count for e in profile.key_averages() if e.key == "aten::bmm") == len(plan.points)


def test_a_plan_first_used_in_inference_mode_is_differentiable_later() -> None:
    plan = winograd.plan((6, 6), (6, 6), (3, 3), (1, 1), (1, 1))
    assert plan is not None
    x, w = (torch.randn(2, 2, k, k, dtype=torch.float64, requires_grad=True) for k in (6, 3))
    with torch.inference_mode():
        winograd.convolve(plan, x, w, None)
    winograd.convolve(plan, x, w, None).sum().backward()
    assert w.grad is not None
