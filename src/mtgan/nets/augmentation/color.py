"""Random brightness, saturation and contrast."""

import torch
from torch import Tensor

from mtgan.parts import AUGMENTATIONS


def _draw(x: Tensor, low: float, high: float) -> Tensor:
    """One number per sample, [N, 1, 1, 1], uniform on [low, high)."""
    return torch.empty(len(x), 1, 1, 1, dtype=x.dtype, device=x.device).uniform_(low, high)


@AUGMENTATIONS.register("color")
def color(x: Tensor) -> Tensor:
    """Brightness +-0.5, saturation times 0 to 2, contrast times 0.5 to 1.5, in this order."""
    x = x + _draw(x, -0.5, 0.5)
    gray = x.mean(1, keepdim=True)
    x = (x - gray) * _draw(x, 0, 2) + gray
    mean = x.mean((1, 2, 3), keepdim=True)
    return (x - mean) * _draw(x, 0.5, 1.5) + mean
