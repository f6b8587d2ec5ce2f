"""A random rectangle is hidden."""

import torch
from torch import Tensor

from mtgan.nets.augmentation.translation import random_integers
from mtgan.parts import AUGMENTATIONS

_CUT = 1 / 2  # share of the side


@AUGMENTATIONS.register("cutout")
def cutout(x: Tensor) -> Tensor:
    """A rectangle of half the sides, centered anywhere in the image, is set to 0."""
    inside = []
    for side in x.shape[2:]:
        size = round(side * _CUT)
        start = random_integers(x, 0, side - 1) - size // 2
        place = torch.arange(side, device=x.device)
        inside.append((place >= start) & (place < start + size))  # [N, side]
    hidden = inside[0][:, None, :, None] & inside[1][:, None, None, :]
    return x.masked_fill(hidden, 0)
