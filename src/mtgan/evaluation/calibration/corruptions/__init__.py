"""Known corruptions of real data, one file each, found by their presence in this folder."""

from mtgan.evaluation.calibration.corruptions.base import (
    CORRUPTIONS,
    Corruption,
    corrupt_images,
    image_corruptions,
    measured_corruptions,
    register_corruption,
)

__all__ = [
    "CORRUPTIONS",
    "Corruption",
    "corrupt_images",
    "image_corruptions",
    "measured_corruptions",
    "register_corruption",
]
