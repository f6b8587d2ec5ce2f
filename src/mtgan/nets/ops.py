"""Layers that are cheap to differentiate twice, as a gradient penalty does.

Same parameters, values and gradients as PyTorch's layers of these names; what differs is the work
done. PyTorch's double backward of LeakyReLU returns a tensor of exact zeros for the layer's input,
and everything before it is then back-propagated for nothing; here it returns nothing. PyTorch's
double backward of a convolution falls back to slow paths; here it is convolutions again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_weights_wanted = True


@contextmanager
def input_gradients_only() -> Iterator[None]:
    """Compute no weight gradients in backward passes made inside.

    For `autograd.grad(score, samples)`: a Python autograd function is not told which of its
    inputs the caller asked for, and would compute gradients of the weights to throw them away.
    """
    global _weights_wanted
    before, _weights_wanted = _weights_wanted, False
    try:
        yield
    finally:
        _weights_wanted = before


class _LeakyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: float) -> Tensor:
        ctx.set_materialize_grads(False)
        y = functional.leaky_relu(x, slope)
        ctx.save_for_backward(y)
        ctx.slope = slope
        return y

    @staticmethod
    def backward(ctx: Any, g: Tensor | None) -> tuple[Tensor | None, None]:
        if g is None:
            return None, None
        (y,) = ctx.saved_tensors
        # The output is positive where the input is; the mask has no derivative, so it is cut off.
        return _LeakyReLUGradient.apply(g, y.detach(), ctx.slope), None


class _LeakyReLUGradient(torch.autograd.Function):
    """g times the layer's slope at each point: linear in g, and its own transpose."""

    @staticmethod
    def forward(ctx: Any, g: Tensor, y: Tensor, slope: float) -> Tensor:
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(y)
        ctx.slope = slope
        return torch.ops.aten.leaky_relu_backward(g, y, slope, True)

    @staticmethod
    def backward(ctx: Any, u: Tensor | None) -> tuple[Tensor | None, None, None]:
        if u is None:
            return None, None, None
        (y,) = ctx.saved_tensors
        return _LeakyReLUGradient.apply(u, y, ctx.slope), None, None


class LeakyReLU(nn.Module):
    """max(x, slope * x) with 0 <= slope < 1; derivative `slope` at 0, as in PyTorch."""

    def __init__(self, slope: float = 0.2) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return _LeakyReLU.apply(x, self.slope)

    def extra_repr(self) -> str:
        return f"{self.slope}"


class _Convolution(torch.autograd.Function):
    """x [N, A, H, W] * w [B, A, K, K] -> [N, B, H', W']."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, w: Tensor, b: Tensor | None, stride: Any, padding: Any
    ) -> Tensor:
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, w)
        ctx.where = (stride, padding)
        return functional.conv2d(x, w, b, stride, padding)

    @staticmethod
    def backward(ctx: Any, g: Tensor | None) -> tuple[Any, ...]:
        if g is None:
            return None, None, None, None, None
        x, w = ctx.saved_tensors
        to_x, to_w, to_b = ctx.needs_input_grad[:3]
        gx = gw = gb = None
        if to_x:
            gx = _InputGradient.apply(g, w, x.shape[2:], *ctx.where)
        if to_w and _weights_wanted:
            gw = _WeightGradient.apply(x, g, w.shape[2:], *ctx.where)
        if to_b and _weights_wanted:
            gb = g.sum((0, 2, 3))
        return gx, gw, gb, None, None


class _InputGradient(torch.autograd.Function):
    """The transpose of the convolution in x: g [N, B, H', W'], w -> [N, A, H, W]."""

    @staticmethod
    def forward(ctx: Any, g: Tensor, w: Tensor, size: Any, stride: Any, padding: Any) -> Tensor:
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(g, w)
        ctx.where = (stride, padding)
        extra = [
            s - ((h - 1) * d - 2 * p + k)
            for s, h, d, p, k in zip(size, g.shape[2:], stride, padding, w.shape[2:], strict=True)
        ]
        return functional.conv_transpose2d(g, w, None, stride, padding, extra)

    @staticmethod
    def backward(ctx: Any, u: Tensor | None) -> tuple[Any, ...]:
        if u is None:
            return None, None, None, None, None
        g, w = ctx.saved_tensors
        to_g, to_w = ctx.needs_input_grad[:2]
        gg = _Convolution.apply(u, w, None, *ctx.where) if to_g else None
        gw = (
            _WeightGradient.apply(u, g, w.shape[2:], *ctx.where)
            if to_w and _weights_wanted
            else None
        )
        return gg, gw, None, None, None


class _WeightGradient(torch.autograd.Function):
    """The transpose of the convolution in w: x, g -> [B, A, K, K]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, g: Tensor, kernel: Any, stride: Any, padding: Any) -> Tensor:
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, g)
        ctx.where = (stride, padding)
        # Only the shape of the weight is read.
        shape = g.new_empty(1).expand(g.shape[1], x.shape[1], *kernel)
        return torch.ops.aten.convolution_backward(
            g, x, shape, None, stride, padding, (1, 1), False, (0, 0), 1, (False, True, False)
        )[1]

    @staticmethod
    def backward(ctx: Any, u: Tensor | None) -> tuple[Any, ...]:
        if u is None:
            return None, None, None, None, None
        x, g = ctx.saved_tensors
        to_x, to_g = ctx.needs_input_grad[:2]
        gx = _InputGradient.apply(g, u, x.shape[2:], *ctx.where) if to_x else None
        gg = _Convolution.apply(x, u, None, *ctx.where) if to_g else None
        return gx, gg, None, None, None


class Conv2d(nn.Conv2d):
    """nn.Conv2d whose double backward is convolutions; zero padding, one group, no dilation."""

    def forward(self, input: Tensor) -> Tensor:
        x, w, b = input, self.weight, self.bias
        kind = x.device.type
        if torch.is_autocast_enabled(kind):
            # Inside the function, autocast would mix the types of what is saved for backward.
            dtype = torch.get_autocast_dtype(kind)
            x, w, b = x.to(dtype), w.to(dtype), None if b is None else b.to(dtype)
        return _Convolution.apply(x, w, b, self.stride, self.padding)
