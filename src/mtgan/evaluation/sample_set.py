"""A set of images with what is known of them: features, labels, numbers.

Legend: N samples, C channels, H x W pixels, D features, L label levels.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from mtgan.evaluation.cache import array_digest, digest
from mtgan.evaluation.features import FeatureBank, FeatureExtractor, extract
from mtgan.evaluation.pairwise.gaussian import GaussianStatistics
from mtgan.evaluation.pairwise.neighbors import Neighborhood, neighborhood

Result = TypeVar("Result")
Numbers = Mapping[str, np.ndarray]

NEIGHBORS = (3, 5)
"""k of precision and recall, and of density and coverage, as in their papers."""


@dataclass(frozen=True, eq=False)
class SampleSet:
    """One set of images with its features; what is computed of it is computed once.

    Attributes:
        labels: int64 [N, L] in the reference's levels, or None.
        bank: Features and logits.
        numbers: float32 [N] by name, nan where missing.
    """

    labels: np.ndarray | None
    bank: FeatureBank
    _images: np.ndarray | None = field(default=None, repr=False)
    _origin: "tuple[SampleSet, np.ndarray] | None" = field(default=None, repr=False)
    _known: dict[Hashable, Any] = field(default_factory=dict, repr=False)
    numbers: Numbers = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        extractor: FeatureExtractor,
        images: np.ndarray,
        labels: np.ndarray | None = None,
        numbers: Numbers = MappingProxyType({}),
        *,
        cache: bool = True,
    ) -> "SampleSet":
        """Extract the features of images; cache: whether they are kept in a file."""
        bank = extract(extractor, images, cache=cache)
        return cls(labels, bank, images, numbers=dict(numbers))

    def __len__(self) -> int:
        return len(self.bank)

    @property
    def images(self) -> np.ndarray:
        """uint8 [N, C, H, W]; a part of a set copies its own when they are asked for."""
        if self._images is not None:
            return self._images
        assert self._origin is not None
        whole, rows = self._origin
        return whole.images[rows]

    @property
    def features(self) -> np.ndarray:
        """float32 [N, D]."""
        return self.bank.features

    @cached_property
    def points(self) -> Tensor:
        """The features on the device where distances are computed."""
        return torch.from_numpy(self.features).to(self.bank.device)

    @cached_property
    def statistics(self) -> GaussianStatistics:
        """Mean and covariance of the features."""
        return GaussianStatistics.from_features(self.points)

    @cached_property
    def neighborhood(self) -> Neighborhood:
        """Nearest neighbors within the set."""
        return neighborhood(self.points, max(NEIGHBORS), kernel=True)

    @cached_property
    def content(self) -> str:
        """A hash of images, labels, numbers, features and logits."""
        arrays = [self.images, self.features, *self.bank.logits.values()]
        labels = "" if self.labels is None else array_digest(self.labels)
        numbers = [(name, array_digest(values)) for name, values in self.numbers.items()]
        parts = [labels, list(self.bank.logits), [array_digest(array) for array in arrays]]
        return digest(*parts, *([numbers] if numbers else []))

    def per_sample(self, key: Hashable, compute: "Callable[[SampleSet], np.ndarray]") -> np.ndarray:
        """One number [N] or row for each sample, computed once for a set and all parts of it."""
        if self._origin is not None:
            whole, rows = self._origin
            return whole.per_sample(key, compute)[rows]
        return self.once(key, lambda: compute(self))

    def once(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        """What `compute` gives, which must depend on this set and the context alone."""
        if key not in self._known:
            self._known[key] = compute()
        result: Result = self._known[key]
        return result

    def take(self, rows: np.ndarray) -> "SampleSet":
        """The set of the given rows."""
        labels, numbers = self._told(rows)
        return SampleSet(labels, self.bank.take(rows), None, (self, rows), numbers=numbers)

    def dealt(self, rows: np.ndarray) -> "SampleSet":
        """The same images under the labels and numbers of the given rows, [N]."""
        labels, numbers = self._told(rows)
        own = np.arange(len(self))
        return SampleSet(labels, self.bank, self._images, (self, own), numbers=numbers)

    def _told(self, rows: np.ndarray) -> tuple[np.ndarray | None, Numbers]:
        labels = None if self.labels is None else self.labels[rows]
        return labels, {name: values[rows] for name, values in self.numbers.items()}

    def joined(self, other: "SampleSet") -> "SampleSet":
        """Both sets, this one first."""
        labels = None
        if self.labels is not None and other.labels is not None:
            labels = np.concatenate([self.labels, other.labels])
        images = np.concatenate([self.images, other.images])
        numbers = {
            name: np.concatenate([values, other.numbers[name]])
            for name, values in self.numbers.items()
            if name in other.numbers
        }
        return SampleSet(labels, self.bank.joined(other.bank), images, numbers=numbers)
