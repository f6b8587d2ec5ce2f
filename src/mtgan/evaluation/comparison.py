"""Two sets side by side: what metrics are computed from, with shared parts computed once.

Legend: N samples of each side, C channels, H x W pixels, D features, L label levels.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from scipy.special import softmax
from torch import Tensor

from mtgan.data import Taxonomy
from mtgan.evaluation.features import FeatureBank
from mtgan.evaluation.features.presence import present_classes
from mtgan.evaluation.features.probe import LinearProbe, NumberProbe, some
from mtgan.evaluation.pairwise.neighbors import nearest
from mtgan.evaluation.pairwise.pairs import PairwisePass, pairwise_pass
from mtgan.evaluation.sample_set import NEIGHBORS, SampleSet
from mtgan.renamed import renamed_property

CLUSTERS = 10
"""Modes of a set without labels are clusters of the reference's features."""


@dataclass
class EvaluationContext:
    """What is the same for every set that is compared with one reference.

    Attributes:
        taxonomy: Levels and classes of the labels.
        levels: The levels in which the reference shows at least two classes, finest first.
        load_training: Gives all training data, which samples may have been copied from and which
            probes learn from; called once, when first needed.
        held_out: Real data that no generator and no classifier has seen, or None.
        load_unseen: Gives as many of such data as show a classifier's mistakes, or training data
            where there are none; called once, when first needed.
        seed: Seed of every random draw.
        is_inception: Whether the features are those of the original FID.
        numbers: The numbers of which the reference shows at least two values.
        inception_splits: Of the inception score; None for one per 5,000 samples.
    """

    taxonomy: Taxonomy
    levels: tuple[str, ...]
    load_training: Callable[[], SampleSet]
    load_unseen: Callable[[], SampleSet]
    held_out: SampleSet | None = None
    seed: int = 0
    is_inception: bool = False
    numbers: tuple[str, ...] = ()
    inception_splits: int | None = None
    _models: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    shown = renamed_property("detected")
    shown_modes = renamed_property("detected_modes")

    @cached_property
    def training(self) -> SampleSet:
        """All training data."""
        return self.load_training()

    @cached_property
    def _gaps(self) -> Tensor:
        return torch.full((len(self.training),), torch.nan, dtype=torch.float64)

    def training_gaps(self, rows: Tensor) -> Tensor:
        """Distance of training samples to their own nearest neighbor, float64 [n].

        Taken for those that are asked for, once: samples have far fewer neighbors than there are
        training samples.
        """
        rows, points = rows.cpu(), self.training.points
        new = rows[self._gaps[rows].isnan()].unique()
        if len(new):
            self._gaps[new] = nearest(points[new.to(points.device)], points, k=2)[0][:, 1].cpu()
        return self._gaps[rows]

    def column(self, level: str) -> int:
        """The column of a level in label arrays."""
        return self.taxonomy.levels.index(level)

    def coarser(self, level: str) -> tuple[str, ...]:
        """Levels that lie above this one in the taxonomy and show at least two classes."""
        above = []
        while level in self.taxonomy.parents:
            level = self.taxonomy.parents[level][0]
            if level in self.levels:
                above.append(level)
        return tuple(above)

    def posterior(self, level: str, bank: FeatureBank) -> np.ndarray:
        """Class probabilities at a level, float64 [N, K].

        By the extractor's own logits where it has some for this level, else by a linear
        discriminant (shrunk covariance) on the training data's features.
        """
        if level in bank.logits:
            return softmax(bank.logits[level].astype(np.float64), axis=1)
        key = ("probe", level)
        if key not in self._models:
            labels = self.training.labels[:, self.column(level)]  # type: ignore[index]
            self._models[key] = LinearProbe.fit(self.training.features, labels, self.seed)
        probe: LinearProbe = self._models[key]
        result = np.zeros((len(bank), self.taxonomy.num_classes(level)))
        result[:, probe.classes] = probe.probabilities(bank.features)
        return result

    def predict(self, level: str, bank: FeatureBank) -> np.ndarray:
        """The most probable class of each sample at a level, int64 [N]."""
        return self.posterior(level, bank).argmax(axis=1)

    def read(self, number: str, judged: SampleSet) -> np.ndarray:
        """A number of each sample as its features say it, float64 [N]: by a ridge regression on the
        training data's features."""

        def predict(samples: SampleSet) -> np.ndarray:
            key = ("number", number)
            if key not in self._models:
                training = self.training
                fitted = NumberProbe.fit(training.features, training.numbers[number], self.seed)
                self._models[key] = fitted
            probe: NumberProbe = self._models[key]
            return probe.predict(samples.features)

        return judged.per_sample(("number", number), predict)

    @cached_property
    def _unseen(self) -> SampleSet:
        return self.load_unseen()

    def _confusion(self, level: str) -> np.ndarray:
        """Real samples by their class (row) and the one predicted (column), int64 [K, K]."""
        key = ("confusion", level)
        if key not in self._models:
            real = self._unseen
            truth = real.labels[:, self.column(level)]  # type: ignore[index]
            known = truth >= 0
            table = np.zeros((self.taxonomy.num_classes(level),) * 2, dtype=np.int64)
            np.add.at(table, (truth[known], self.predict(level, real.bank)[known]), 1)
            self._models[key] = table
        found: np.ndarray = self._models[key]
        return found

    def detected(self, level: str, judged: SampleSet) -> np.ndarray:
        """The class that each sample shows at a level by the classifier, int64 [N].

        -1 for classes that the set shows no more often than by the classifier's mistakes.
        """

        def decide() -> np.ndarray:
            classes = self.predict(level, judged.bank)
            confusion = self._confusion(level)
            counts = np.bincount(classes, minlength=len(confusion))
            return np.where(present_classes(counts, confusion)[classes], classes, -1)

        return judged.once(("detected", level), decide)

    def mode_posterior(self, bank: FeatureBank) -> np.ndarray:
        """Probabilities of modes [N, modes]: finest classes, or clusters where there are none."""
        if self.levels:
            return self.posterior(self.levels[0], bank)
        if "clusters" not in self._models:
            from sklearn.cluster import KMeans  # slow to import

            clusters = KMeans(CLUSTERS, n_init=3, random_state=self.seed)
            rows = some(len(self.training), self.seed)
            self._models["clusters"] = clusters.fit(self.training.features[rows])
        return np.eye(CLUSTERS)[self._models["clusters"].predict(bank.features)]

    def modes(self, bank: FeatureBank) -> np.ndarray:
        """The most probable mode of each sample, int64 [N]."""
        return self.mode_posterior(bank).argmax(axis=1)

    def detected_modes(self, judged: SampleSet) -> np.ndarray:
        """The mode that each sample shows, int64 [N]; of classes as `detected` says.

        A sample is in a cluster by definition, and not by mistake.
        """
        return self.detected(self.levels[0], judged) if self.levels else self.modes(judged.bank)

    @property
    def mode_noun(self) -> str:
        """What modes are called in sentences."""
        return "classes" if self.levels else "clusters"


class Comparison:
    """A generated and a reference set of equal size, and what several metrics share.

    Args:
        generated: The samples that are judged.
        reference: Real samples.
        context: What is the same for every set.
    """

    def __init__(
        self, generated: SampleSet, reference: SampleSet, context: EvaluationContext
    ) -> None:
        self.generated = generated
        self.reference = reference
        self.context = context

    setting = renamed_property("context")
    asked = renamed_property("requested")
    asked_levels = renamed_property("requested_levels")

    @cached_property
    def pairs(self) -> PairwisePass:
        """One pass over all pairs: neighbors, balls and kernel sums."""
        return pairwise_pass(
            self.generated.points,
            self.reference.points,
            NEIGHBORS,
            kernel=True,
            sample_neighborhood=self.generated.neighborhood,
            reference_neighborhood=self.reference.neighborhood,
        )

    @property
    def requested_levels(self) -> tuple[str, ...]:
        """Levels at which any sample was asked for a class."""
        return tuple(level for level in self.context.levels if (self.requested(level) >= 0).any())

    def requested(self, level: str) -> np.ndarray:
        """The classes of a level that the samples were asked for, int64 [N], -1 where none."""
        assert self.generated.labels is not None
        return self.generated.labels[:, self.context.column(level)]

    def truth(self, level: str) -> np.ndarray:
        """The classes of the reference at a level, int64 [N], -1 where missing."""
        assert self.reference.labels is not None
        return self.reference.labels[:, self.context.column(level)]

    @property
    def requested_numbers(self) -> tuple[str, ...]:
        """Numbers that any sample was asked for."""
        asked = self.generated.numbers
        return tuple(
            name
            for name in self.context.numbers
            if name in asked and not np.isnan(asked[name]).all()
        )

    def without_numbers(self) -> str:
        """Why the error of numbers cannot be had."""
        if not self.context.numbers:
            return "the reference has no numbers, or one value of each"
        return "" if self.requested_numbers else "the samples were asked for no number"

    def without_labels(self) -> str:
        """Why metrics of conditioning cannot be had."""
        if not self.context.taxonomy.levels:
            return "the reference has no labels"
        if not self.context.levels:
            return "the reference shows fewer than two classes"
        if self.generated.labels is None:
            return "the samples have no labels"
        return ""

    def without_logits(self) -> str:
        """Why metrics on class probabilities cannot be had."""
        return "" if self.generated.bank.logits else "these features have no class probabilities"

    def without_held_out(self) -> str:
        """Why metrics that need unseen real data cannot be had."""
        return "" if self.context.held_out is not None else "there are no held-out real data"
