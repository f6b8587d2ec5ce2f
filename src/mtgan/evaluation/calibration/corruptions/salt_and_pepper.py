"""Black and white pixels."""

import numpy as np

from mtgan.evaluation.calibration.corruptions.base import register_corruption


@register_corruption("salt-and-pepper")
def salt_and_pepper(images: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """A share `strength` / 2 of the pixels become black or white."""
    damaged = images.copy()
    hit = random.random((len(images), 1, *images.shape[2:])) < strength / 2
    color = np.where(random.random(hit.shape) < 0.5, 0, 255).astype(np.uint8)
    np.copyto(damaged, np.broadcast_to(color, images.shape), where=hit)
    return damaged
