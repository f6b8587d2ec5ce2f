"""Gaussian blur, which precision and density reward: it reads no axis."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from mtgan.evaluation.calibration.corruptions.base import register_corruption, to_uint8


@register_corruption(
    "blur",
    levels=(0.1, 0.2, 0.35, 0.6),
    words=lambda real, strength: (
        f"blur of {strength * min(real.held_out.images.shape[2:]) / 8:.1f} px"
    ),
)
def blur(images: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Gaussian blur; at strength 1 its standard deviation is an eighth of the smaller side."""
    sigma = strength * min(images.shape[2:]) / 8
    radius = min(math.ceil(3 * sigma), min(images.shape[2:]) - 1)
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel / kernel.sum()
    values = torch.from_numpy(images).float().flatten(0, 1).unsqueeze(1)
    values = F.pad(values, (radius,) * 4, mode="reflect")
    values = F.conv2d(F.conv2d(values, kernel.view(1, 1, -1, 1)), kernel.view(1, 1, 1, -1))
    return to_uint8(values.reshape(images.shape).numpy())
