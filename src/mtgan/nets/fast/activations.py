"""LeakyReLU and ReLU that are cheap to differentiate twice.

PyTorch's double backward of LeakyReLU returns a tensor of exact zeros for the layer's input, and
everything before it is then back-propagated for nothing; here it returns nothing.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mtgan.nets.fast.switch import is_fast


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
        if y.dim() == 4 and y.is_contiguous(memory_format=torch.channels_last):
            # Two layouts side by side are slower than a copy.
            g = g.contiguous(memory_format=torch.channels_last)
        # The output is positive where the input is. The mask has no derivative: once it is cut
        # off, PyTorch's own formula is left with a derivative in g alone.
        return torch.ops.aten.leaky_relu_backward(g, y.detach(), ctx.slope, True), None


def leaky_relu(x: Tensor, slope: float = 0.2) -> Tensor:
    """x where positive, slope * x elsewhere; slope >= 0. Derivative `slope` at 0, as in PyTorch."""
    if slope < 0:
        # The mask is read from the output's sign.
        raise ValueError(f"expected a slope >= 0, found {slope}; use torch's leaky_relu")
    if not is_fast():
        return functional.leaky_relu(x, slope)
    return _LeakyReLU.apply(x, slope)


def relu(x: Tensor) -> Tensor:
    """max(x, 0); derivative 0 at 0, as in PyTorch."""
    return leaky_relu(x, 0.0)


class LeakyReLU(nn.Module):
    """`leaky_relu` as a layer; any shape."""

    def __init__(self, slope: float = 0.2) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return leaky_relu(x, self.slope)

    def extra_repr(self) -> str:
        return f"{self.slope}"


class ReLU(LeakyReLU):
    """`relu` as a layer; any shape."""

    def __init__(self) -> None:
        super().__init__(0.0)
