"""What a training is handed by whoever knows how to measure; see mtgan.runs for the usual ones."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch

from mtgan.data import Dataset


class Evaluator(Protocol):
    """Measures samples of a training, again and again, against real data that it has kept.

    n: samples that it needs; protocol: how its numbers are made.
    """

    n: int
    protocol: Mapping[str, Any]

    def __call__(self, samples: np.ndarray, labels: np.ndarray | None) -> Mapping[str, float]:
        """Values by name, `frechet_distance` among them, of samples uint8 [n, C, H, W] and the
        labels int64 [n, L] that the generator was given (None where it takes none)."""


Confusion = Callable[[Dataset, int], np.ndarray]
"""From data and a seed to int64 [K, K]: of the samples of each finest class (row), how many were
taken for which (column) by a classifier that did not see them."""


class Instruments(Protocol):
    """What measures for a training."""

    def evaluator(
        self,
        data: Dataset,
        n: int,
        device: torch.device,
        *,
        protocol: str = "training",
        features: str = "auto",
        metrics: Sequence[str] = (),
    ) -> Evaluator:
        """An evaluator of n samples, or as many as there are data, unless the protocol says how
        many. It compares them with the data (or another split of them) as the protocol says, in
        these features, by these metrics beside what every evaluation gives."""

    def confusion(self, data: Dataset, seed: int) -> np.ndarray:
        """See Confusion."""
