"""A picture that is turned about its center."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from mtgan.evaluation.calibration.corruptions.base import register_corruption, to_uint8


@register_corruption("swirl")
def swirl(images: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Turn the picture about its center, by 2 pi * strength there and by nothing at the border."""
    height, width = images.shape[2:]
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij"
    )
    radius = torch.sqrt(x**2 + y**2)
    angle = 2 * math.pi * strength * (1 - radius).clamp(min=0)
    grid = torch.stack(
        [x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()], dim=-1
    )
    values = torch.from_numpy(images).float()
    turned = F.grid_sample(
        values,
        grid.expand(len(images), -1, -1, -1),
        mode="bilinear",
        padding_mode="border",
        align_corners=True,
    )
    return to_uint8(turned.numpy())
