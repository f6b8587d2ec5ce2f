"""The real data of one evaluation: what the sets of known quality are made of.

All are made from the dataset itself and measured by the same code at the same sample size as the
samples that are judged, which is why a score means the same on every dataset.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mtgan.evaluation.comparison import Comparison, EvaluationContext, SampleSet
from mtgan.evaluation.features import FeatureExtractor
from mtgan.renamed import renamed_property


@dataclass(frozen=True)
class RealData:
    """The real data of one evaluation.

    Attributes:
        reference: N real samples that everything is compared with.
        held_out: N other real samples: the ceiling.
        pool: All real samples outside the reference, held-out ones first: what sets with missing
            modes are drawn from.
        context: Levels, training data, seed.
        extractor: Takes the features of corrupted images.
        floors: By axis, makers of the sets that mark 0.
        corruptions: Those that are measured.
    """

    reference: SampleSet
    held_out: SampleSet
    pool: SampleSet
    context: EvaluationContext
    extractor: FeatureExtractor
    floors: Mapping[str, Sequence[Callable[["RealData"], SampleSet]]]
    corruptions: Sequence[Any]

    setting = renamed_property("context")

    def compared(self, judged: SampleSet, reference: SampleSet | None = None) -> Comparison:
        """A set beside the reference, or a part of it."""
        return Comparison(judged, self.reference if reference is None else reference, self.context)

    def identity(self) -> list[Any]:
        """What the scale depends on beside the protocol, as plain values."""
        sets = (self.reference, self.held_out, self.context.training)
        return [self.context.taxonomy.to_dict(), [part.content for part in sets]]

    def random(self, *key: int) -> np.random.Generator:
        """A generator of the evaluation's seed and a key."""
        return np.random.default_rng([self.context.seed, *key])

    @cached_property
    def pool_modes(self) -> np.ndarray:
        """The true finest class of each sample of the pool, or its cluster; int64."""
        if self.context.levels and self.pool.labels is not None:
            return self.pool.labels[:, self.context.column(self.context.levels[0])]
        return self.context.modes(self.pool.bank)

    @cached_property
    def modes(self) -> np.ndarray:
        """Modes that the pool shows, in the order in which they go missing; int64."""
        present = np.unique(self.pool_modes[self.pool_modes >= 0])
        return self.random(1).permutation(present)

    def jittered(self, source: SampleSet, rows: np.ndarray, levels: int) -> SampleSet:
        """The images of some rows, each pixel off by at most `levels` grey levels."""
        images = source.images[rows].astype(np.int16)
        images += self.random(6, levels).integers(-levels, levels + 1, images.shape)
        told = source.take(rows)
        shown = np.clip(images, 0, 255).astype(np.uint8)
        return SampleSet.of(self.extractor, shown, told.labels, told.numbers)
