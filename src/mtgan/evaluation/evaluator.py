"""Judge one set of samples after another against one reference, by chosen metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch

from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.evaluation.cache import to_device
from mtgan.evaluation.comparison import Comparison, EvaluationContext, SampleSet
from mtgan.evaluation.data import draw
from mtgan.evaluation.features import (
    AUTO,
    FeatureExtractor,
    FeatureRequest,
    build_extractor,
    label_levels,
)
from mtgan.evaluation.features.fitness import probe_images, told_numbers
from mtgan.evaluation.inputs import check_alike, check_labels
from mtgan.evaluation.measured import measured_card
from mtgan.evaluation.metrics import (
    LABELS,
    LOGITS,
    METRICS,
    Metric,
    Outcome,
    Output,
    chosen_metrics,
)
from mtgan.evaluation.metrics.inception_score import inception_score
from mtgan.evaluation.protocol import UNKNOWN_CHECKPOINT, Protocol, protocol_rule
from mtgan.evaluation.scorecard import Scorecard
from mtgan.evaluation.scorecard.notes import small_sets


def _accuracy(comparison: Comparison) -> Outcome:
    """Share of samples that the features' classifier puts into the class asked for, per level."""
    values = {}
    for level in comparison.requested_levels:
        predicted = comparison.context.predict(level, comparison.generated.bank)
        requested = comparison.requested(level)
        values[f"accuracy/{level}"] = float((predicted == requested)[requested >= 0].mean())
    return Outcome(values)


def _first_inception_score(comparison: Comparison) -> Outcome:
    """Inception score of the finest level, in one split unless the protocol says how many."""
    logits = next(iter(comparison.generated.bank.logits.values()))
    splits = comparison.context.inception_splits or 1
    score = inception_score(logits, splits=splits, inputs="logits")
    return Outcome({"inception_score": score.value})


def watching_metrics(extractor: FeatureExtractor, beside: Sequence[str] = ()) -> list[Metric]:
    """The metrics by which training watches a run, under the names of its log; beside: names of
    further ones."""
    chosen = [
        METRICS.get("frechet_distance"),
        Metric(
            "inception_score",
            (Output("inception_score", "higher"),),
            _first_inception_score,
            needs=LOGITS,
        ),
    ]
    if extractor.sees_content:
        chosen.append(Metric("accuracy", (Output("accuracy", "higher"),), _accuracy, needs=LABELS))
    return [*chosen, *(item for item in chosen_metrics(beside) if item not in chosen)]


def real_set(
    extractor: FeatureExtractor,
    data: Dataset,
    levels: Sequence[str],
    rows: np.ndarray | None = None,
) -> SampleSet:
    """Real samples, all or some, with their features, and their labels where levels are known."""
    part = data if rows is None else data.select(rows)
    labels = np.asarray(part.labels) if levels else None
    return SampleSet.of(extractor, np.asarray(part.samples), labels, part.numbers)


class Evaluator:
    """Judges sets of samples against one reference, whose features are taken once.

    Torch's and numpy's global random states are left as they were.

    Args:
        reference: Real data; `n` of its samples, drawn by `seed`, are compared with.
        metrics: Names of metrics, "default", or "all", as one string with commas or several; None
            for what training watches a run by: `frechet_distance`;
            `inception_score` where the features have logits (of the finest level);
            `accuracy/LEVEL` for each level of the reference when labels are given, by the
            features' logits or by a linear probe.
        beside: Names of metrics beside those by which training watches.
        n: Sample size of both sides (fewer when the reference is smaller).
        features: Feature space, by name or built, or "auto".
        device: Where features are computed.
        seed: Seed of every random draw.
        weights: Path to a weight file, for feature spaces that take one.
        rows: The samples of the reference, int64 [M]; None draws n of them. Where `generated` is
            None, as many samples are judged.
        generated: Samples that are judged, where these are not as many as in the reference.
        context: Levels, training and held-out data; None knows the reference alone.
        protocol: Name of the way of measuring (`protocol.PROTOCOLS`), for the stamp and the splits
            of the inception score.
        checkpoint: The rule by which a run's checkpoint was chosen, for the stamp.

    Attributes:
        n: Samples that each call needs.
        protocol: How the numbers are made, as a dictionary.

    Raises:
        UserError: A feature space that cannot be had for these data.
    """

    def __init__(
        self,
        reference: Dataset,
        metrics: str | Sequence[str] | None = None,
        *,
        beside: Sequence[str] = (),
        n: int = 1_000,
        features: str | FeatureExtractor = AUTO,
        device: str | torch.device = "cpu",
        seed: int = 0,
        weights: str | Path | None = None,
        rows: np.ndarray | None = None,
        generated: int | None = None,
        context: EvaluationContext | None = None,
        protocol: str = "training",
        checkpoint: str = UNKNOWN_CHECKPOINT,
    ) -> None:
        if isinstance(features, str):
            chosen = Path(weights) if weights else None
            request = FeatureRequest(features, reference, chosen, to_device(device))
            features = build_extractor(request)
        self.data = reference
        self.extractor = features
        self._beside = chosen_metrics(beside)
        if metrics is None:
            self.metrics = watching_metrics(features, beside)
        else:
            self.metrics = chosen_metrics(metrics)
        self.rows = draw(len(reference), min(n, len(reference)), seed) if rows is None else rows
        self.n = len(self.rows) if generated is None else generated
        self.context = context or self._own_context(seed, protocol)
        self.reference = real_set(features, reference, self.context.levels, self.rows)
        self._stamp = Protocol.of(
            protocol,
            reference,
            features,
            generated=self.n,
            compared=len(self.rows),
            checkpoint=checkpoint,
            seed=seed,
        )
        self.protocol = self._stamp.as_dict()

    def __call__(
        self,
        samples: np.ndarray,
        labels: np.ndarray | None = None,
        numbers: Mapping[str, np.ndarray] = MappingProxyType({}),
    ) -> Scorecard:
        """A card of the first `n` samples, without scores.

        Args:
            samples: uint8 [N, C, H, W], N >= `self.n`.
            labels: int64 [N, L] that the samples were asked to have (-1: none), or None.
            numbers: float [N] by name that they were asked to have (nan: none).

        Raises:
            UserError: Too few samples, another shape, labels that do not fit; a metric `beside`
                that cannot be had.
        """
        check_alike(samples, self.data.samples)
        if labels is not None:
            check_labels(labels, len(samples), self.data)
            labels = labels[: self.n]
        if len(samples) < self.n:
            raise UserError(
                f"{len(samples)} samples are fewer than the {self.n} of this measurement: "
                "generate more, or build the evaluator with a smaller n"
            )
        asked = {name: np.asarray(values)[: self.n] for name, values in numbers.items()}
        judged = SampleSet.of(self.extractor, samples[: self.n], labels, asked, cache=False)
        comparison = self.compared(judged)
        for item in self._beside:
            if reason := item.missing(comparison):
                raise UserError(f"The metric {item.name} cannot be had here: {reason}.")
        return self.card(comparison)

    def compared(self, samples: SampleSet) -> Comparison:
        """A set beside the reference."""
        return Comparison(samples, self.reference, self.context)

    def computable(self, comparison: Comparison) -> list[Metric]:
        """The metrics that can be had for a comparison."""
        return [item for item in self.metrics if not item.missing(comparison)]

    def card(self, comparison: Comparison, notes: Sequence[str] = ()) -> Scorecard:
        """The numbers of all metrics that can be had, without scores; notes: to begin with."""
        stamp = replace(self._stamp, generated=len(comparison.generated))
        after = small_sets(comparison, self.extractor)
        return measured_card(stamp, self.metrics, comparison, notes, after)

    def _own_context(self, seed: int, protocol: str) -> EvaluationContext:
        """What can be known of the reference alone."""
        levels = tuple(label_levels(self.data))

        def few() -> SampleSet:
            return real_set(self.extractor, probe_images(self.data), levels)

        return EvaluationContext(
            taxonomy=self.data.taxonomy,
            levels=levels,
            load_training=few,
            load_unseen=few,
            seed=seed,
            is_inception=self.extractor.name == "inception",
            numbers=told_numbers(self.data),
            inception_splits=protocol_rule(protocol).inception_splits,
        )
