"""Old name of `mtgan.evaluation.calibration.corruptions`, for one release."""

import warnings

import numpy as np

from mtgan.evaluation.calibration.corruptions import corrupt_images

__all__ = ["damage_images"]


def damage_images(name: str, images: np.ndarray, strength: float, seed: int = 0) -> np.ndarray:
    """`corrupt_images`."""
    warnings.warn(
        "mtgan.evaluation.damages.damage_images is now "
        "mtgan.evaluation.calibration.corruptions.corrupt_images.",
        DeprecationWarning,
        stacklevel=2,
    )
    return corrupt_images(name, images, strength, seed)
