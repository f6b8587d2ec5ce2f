"""Layers of a discriminator that are told the labels."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mtgan.nets.heads import Bound
from mtgan.nets.label_axes import LabelAxis, Told


class ToldLayer(nn.Module):
    """A layer, [N, C, ...], that is told the labels: a linear map of the label vector is added to
    the channels of what it takes, at every position alike.

    Behind the layer's kernel that is a bias by label (van den Oord et al. 2016, Conditional
    PixelCNN, eq. 4), as of label maps concatenated with what it takes. Without a label vector it is
    the layer alone.
    """

    def __init__(self, layer: nn.Module, channels: int, length: int, bound: Bound) -> None:
        super().__init__()
        self.layer = layer
        self.labels = bound(nn.Linear(length, channels, bias=False))

    def label_axes(self, told: Told) -> dict[str, LabelAxis]:
        return {"labels.weight": LabelAxis(1, told.vector)}

    def forward(self, x: Tensor, vector: Tensor | None = None) -> Tensor:
        """vector: labels [N, length]."""
        if vector is not None:
            told = self.labels(vector)
            x = x + told.view(*told.shape, *[1] * (x.dim() - 2))
        return self.layer(x)


@torch.no_grad()
def told_layers(
    layers: Sequence[nn.Module], shape: Sequence[int], length: int, bound: Bound
) -> list[nn.Module]:
    """The layers, in order, from samples of this shape on, each told a label vector so long."""
    x, found = torch.zeros(1, *shape), list[nn.Module]()
    for layer in layers:
        found.append(ToldLayer(layer, x.shape[1], length, bound))
        x = layer.eval()(x)  # statistics of batches stay as they are
        layer.train()
    return found
