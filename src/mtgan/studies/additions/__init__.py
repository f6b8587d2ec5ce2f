"""What is added to the real training images of a study of kind augmentation, a file each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtgan.data import Dataset
from mtgan.recipes import Recipe
from mtgan.registry import Registry


@dataclass(frozen=True)
class AdditionRequest:
    """What there is to add to, and of which class how many are wanted.

    Attributes:
        real: The real training images, without those for validation.
        rest: Real images that neither training nor validation has.
        level: The level by which classes are counted.
        wanted: int64 [K], how many of each.
        generator: Of which recipe a generator is.
        filter: The probability of their class that generated samples need to be taken.
        seed: The run's.
        place: The study's folder, for what arms share.
        device: Where samples are made.
    """

    real: Dataset
    rest: Dataset
    level: str
    wanted: np.ndarray
    generator: Recipe
    filter: float | None
    seed: int
    place: Path
    device: str = "cpu"


Addition = Callable[[AdditionRequest], Dataset]
"""Images under the taxonomy of the real ones; not necessarily as many as are wanted."""

ADDITIONS: "Registry[Addition]" = Registry("addition", "mtgan.studies.additions", has=("__call__",))
