"""Known corruptions of real data: what the scorecard's floors and readings are made of.

A corruption of images is a function `f(images, strength, random) -> images` on uint8
[N, C, H, W]; strength 0 changes nothing and 1 is heavy. They follow the disturbances of Heusel et
al. 2017, arXiv 1706.08500, appendix A1, and work at any size. What corrupts a *set* (missing
classes, copies, wrong labels) makes it of the real data.

Legend: N images, C channels, H x W pixels.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mtgan.errors import UserError
from mtgan.evaluation.calibration.real_data import RealData
from mtgan.evaluation.comparison import SampleSet
from mtgan.evaluation.scorecard.scoring import axis_order
from mtgan.registry import Registry

ImageFunction = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Corruption:
    """One kind of corruption.

    Attributes:
        name: Its name.
        make: The corrupted set, of the real data (of images a RealData) and a strength or share in
            (0, 1].
        words: The amount in words, of the same.
        levels: Strengths or shares that each card measures, rising; none is measured without.
        reads: The axes that are read aloud in its terms.
        labels_only: Whether it corrupts labels and leaves the images alone.
        fills_up: Whether training images take the places of missing ones, so that authenticity
            says nothing.
        images: The function on images, where it is of that kind.
    """

    name: str
    make: Callable[[Any, float], Any]
    words: Callable[[Any, float], str]
    levels: tuple[float, ...] = ()
    reads: tuple[str, ...] = ()
    labels_only: bool = False
    fills_up: bool = False
    images: ImageFunction | None = None


CORRUPTIONS: Registry[Corruption] = Registry(
    "corruption", "mtgan.evaluation.calibration.corruptions", has=("make", "words")
)


def register_corruption(
    name: str,
    *,
    levels: tuple[float, ...] = (),
    reads: tuple[str, ...] = (),
    words: Callable[[RealData, float], str] | None = None,
) -> Callable[[ImageFunction], ImageFunction]:
    """Register a function on images as a corruption; for levels, reads and words see Corruption."""

    def make(function: ImageFunction) -> Corruption:
        return Corruption(
            name,
            lambda real, strength: corrupted(real, function, strength),
            words or (lambda real, strength: f"{strength:.0%} {name}"),
            levels,
            reads,
            images=function,
        )

    return CORRUPTIONS.register_as(name, make)


def corrupted(real: RealData, function: ImageFunction, strength: float) -> SampleSet:
    """The held-out images under a function on images."""
    random = np.random.default_rng(real.context.seed)
    images = function(real.held_out.images, strength, random)
    return SampleSet.of(real.extractor, images, real.held_out.labels, real.held_out.numbers)


def corrupt_images(name: str, images: np.ndarray, strength: float, seed: int = 0) -> np.ndarray:
    """Apply a registered corruption of images.

    Args:
        name: Its name.
        images: uint8 [N, C, H, W].
        strength: 0 (none) to 1 (heavy).
        seed: Decides every random draw.

    Returns:
        uint8 [N, C, H, W].

    Raises:
        UserError: No such corruption, or one that is not of images.
    """
    function = CORRUPTIONS.get(name).images
    if function is None:
        raise UserError(
            f"The corruption {name!r} is one of a whole set, not of images; choose from "
            f"{', '.join(image_corruptions())}."
        )
    return (
        function(images, strength, np.random.default_rng(seed)) if strength > 0 else images.copy()
    )


def image_corruptions() -> list[str]:
    """The names of those that corrupt images."""
    return [name for name, item in CORRUPTIONS.items() if item.images is not None]


def measured_corruptions() -> list[Corruption]:
    """Those that each card measures, in the order of the axes that they are read for."""
    measured = [item for _, item in CORRUPTIONS.items() if item.levels]
    return sorted(measured, key=lambda item: axis_order(item.reads[0] if item.reads else ""))


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Rounded and clipped to 0..255."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
