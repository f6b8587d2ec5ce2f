"""Uniform noise."""

import numpy as np

from mtgan.evaluation.calibration.corruptions.base import register_corruption, to_uint8


@register_corruption(
    "noise",
    levels=(0.03, 0.06, 0.12, 0.25, 0.5),
    reads=("fidelity",),
    words=lambda real, strength: f"{strength:.0%} noise mixed in",
)
def noise(images: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Mix with uniform noise: (1 - strength) * x + strength * noise."""
    mixed = random.integers(0, 256, images.shape, dtype=np.uint8) * np.float32(strength)
    return to_uint8(mixed + images * np.float32(1 - strength))
