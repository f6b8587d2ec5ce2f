"""The one codec between stored pixels and what networks see.

N: samples; C, H, W: channels, height, width.
"""

import numpy as np
import torch
from torch import Tensor


def to_floats(pixels: Tensor | np.ndarray) -> Tensor:
    """uint8 [N, C, H, W], 0 to 255, as float32 in [-1, 1], channels last in memory as the networks
    have it; on the device of the pixels. The thesis (3.0.2) has them in [-0.5, 0.5]."""
    if isinstance(pixels, np.ndarray):
        pixels = torch.from_numpy(np.ascontiguousarray(pixels))
    scaled = pixels.to(torch.float32).div_(127.5).sub_(1.0)
    # Afterwards: while bytes are widened, the change of layout would take several times as long.
    return scaled.contiguous(memory_format=torch.channels_last)


def dequantized(values: Tensor, noise: Tensor) -> Tensor:
    """Floats of `to_floats` [N, C, H, W], of bytes x, as (x + u) / 128 - 1 for noise u in [0, 1).

    So does the released code of Gulrajani et al. 2017 (CIFAR-10, residual networks) to real ones.
    """
    return (values + 1).mul_(127.5).add_(noise).div_(128).sub_(1)


def to_bytes(values: Tensor) -> Tensor:
    """Floats [N, C, H, W] as uint8, on the same device: -1 is 0 and 1 is 255, rounded to the
    nearest (half to even); what lies outside is cut off."""
    return ((values + 1) * 127.5).round_().clamp_(0, 255).to(torch.uint8)
