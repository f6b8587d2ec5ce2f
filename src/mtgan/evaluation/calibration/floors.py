"""The sets that mark 0 on each axis."""

from collections.abc import Callable

import numpy as np

from mtgan.evaluation.calibration.corruptions.base import corrupted
from mtgan.evaluation.calibration.corruptions.copies import with_copies
from mtgan.evaluation.calibration.corruptions.missing_modes import with_modes
from mtgan.evaluation.calibration.corruptions.noise import noise
from mtgan.evaluation.calibration.corruptions.repeats import repeated
from mtgan.evaluation.calibration.corruptions.wrong_labels import with_wrong_labels
from mtgan.evaluation.calibration.real_data import RealData
from mtgan.evaluation.comparison import SampleSet

FEW_IMAGES = 32


def shuffled_pixels(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Every pixel position of images uint8 [N, C, H, W] shuffled over the set: right marginals, no
    picture."""
    return random.permuted(images, axis=0)


def independent_pixels(real: RealData) -> SampleSet:
    """Held-out images, every pixel position shuffled over the set."""
    images = shuffled_pixels(real.held_out.images, real.random(5))
    return SampleSet.of(real.extractor, images, real.held_out.labels, real.held_out.numbers)


FLOORS: dict[str, tuple[Callable[[RealData], SampleSet], ...]] = {
    "distribution": (lambda real: with_modes(real, 1),),
    "fidelity": (lambda real: corrupted(real, noise, 1.0), independent_pixels),
    "modes": (lambda real: with_modes(real, 1),),
    "diversity": (lambda real: with_modes(real, 1), lambda real: repeated(real, FEW_IMAGES)),
    "conditioning": (lambda real: with_wrong_labels(real, 1.0),),
    "authenticity": (lambda real: with_copies(real, 1.0),),
}
"""Makers of the sets that mark 0 on each axis; of several, the one farthest from real.

Noise is no floor of the distribution: between real data and noise the loss of half the classes
looks like nothing. Blur is no floor at all: precision and density reward it.
"""
