"""What normalization layers are made of: a layer, with or without a gain and bias by class."""

import torch
from torch import Tensor, nn

from mtgan.nets.label_axes import LabelAxis, Told


def by_sample(x: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
    """gain * x + bias of x [N, C, ...]; gain and bias [N, C]."""
    shape = (x.shape[0], -1, *[1] * (x.dim() - 2))
    return torch.addcmul(bias.view(shape), x, gain.view(shape))


class Unconditional(nn.Module):
    """A layer of one argument under the common signature."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.layer(x)


class Conditional(nn.Module):
    """A normalization whose gain and bias are looked up by class.

    Gains begin at 1 and biases at 0.
    """

    def __init__(self, layer: nn.Module, channels: int, classes: int) -> None:
        super().__init__()
        self.layer = layer
        self.gain = nn.Embedding(classes, channels)
        self.bias = nn.Embedding(classes, channels)
        nn.init.ones_(self.gain.weight)
        nn.init.zeros_(self.bias.weight)

    def label_axes(self, told: Told) -> dict[str, LabelAxis]:
        rows = LabelAxis(0, told.rows)
        return {"gain.weight": rows, "bias.weight": rows}

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        assert y is not None, "conditional normalization needs class indices"
        return by_sample(self.layer(x), self.gain(y), self.bias(y))
