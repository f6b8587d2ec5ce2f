"""Black rectangles."""

import numpy as np

from mtgan.evaluation.calibration.corruptions.base import register_corruption


@register_corruption("rectangles")
def rectangles(images: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Five black rectangles at random places, each side `strength` half of the image's."""
    damaged = images.copy()
    height, width = images.shape[2:]
    tall, wide = (max(1, round(strength * side / 2)) for side in (height, width))
    tops = random.integers(0, height - tall + 1, (len(images), 5))
    lefts = random.integers(0, width - wide + 1, (len(images), 5))
    for image, rows, columns in zip(damaged, tops, lefts, strict=True):
        for top, left in zip(rows, columns, strict=True):
            image[:, top : top + tall, left : left + wide] = 0
    return damaged
