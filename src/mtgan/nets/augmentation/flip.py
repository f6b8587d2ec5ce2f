"""Random mirror images."""

import torch
from torch import Tensor

from mtgan.parts import AUGMENTATIONS


@AUGMENTATIONS.register("flip")
def flip(x: Tensor) -> Tensor:
    """Left and right change places in half of the samples (Karras et al. 2020, appendix B)."""
    mirrored = torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5
    return torch.where(mirrored, x.flip(3), x)
