"""Generated images, and what they were made by."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from mtgan.data.dataset import Dataset
from mtgan.data.taxonomy import Taxonomy


class Samples(np.ndarray):
    """Samples uint8 [n, C, H, W], an array like any other, that knows how they were made.

    Attributes:
        labels: int64 [n, L], what the generator was given (asked for or drawn) and what the
            taxonomy implies from that, -1 elsewhere; None where it takes no labels.
        taxonomy: What the labels mean.
        seed: With which they are made again.
        latents: float32 [n, Z], what they were made from.
        notes: Sentences about what was asked for, as a combination that no training sample has.
        numbers: float32 [n] by name, what the generator was given, nan where nothing.

    A part of them, and what is computed from them, is a plain array.
    """

    labels: np.ndarray | None
    taxonomy: Taxonomy | None
    seed: int | None
    latents: np.ndarray | None
    notes: tuple[str, ...]
    numbers: dict[str, np.ndarray]

    def __array_finalize__(self, source: Any) -> None:
        self.labels = self.taxonomy = self.seed = self.latents = None
        self.notes, self.numbers = (), {}

    @classmethod
    def of(
        cls,
        images: np.ndarray,
        labels: np.ndarray | None,
        taxonomy: Taxonomy,
        seed: int,
        latents: np.ndarray,
        notes: Sequence[str],
        numbers: Mapping[str, np.ndarray] = MappingProxyType({}),
    ) -> "Samples":
        """These images, with what is known of them."""
        found = images.view(cls)
        found.labels, found.taxonomy, found.seed = labels, taxonomy, seed
        found.latents, found.notes = latents, tuple(notes)
        found.numbers = dict(numbers)
        return found

    def __array_wrap__(
        self, array: np.ndarray, context: Any = None, return_scalar: bool = False
    ) -> Any:
        return array[()] if return_scalar or not array.ndim else np.asarray(array)

    def __getitem__(self, key: Any) -> Any:
        return np.asarray(self)[key]

    def dataset(self, name: str = "samples") -> Dataset:
        """The samples and their labels as a data set of this name."""
        labels, taxonomy = self.labels, self.taxonomy
        if labels is None or taxonomy is None:
            labels, taxonomy = np.empty((len(self), 0), dtype=np.int64), Taxonomy((), {}, {})
        numbers = dict(self.numbers)
        return Dataset(np.asarray(self), labels, taxonomy, name, "all", numbers=numbers)
