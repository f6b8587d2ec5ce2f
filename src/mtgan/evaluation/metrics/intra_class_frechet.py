"""Frechet distance within each class.

Definition: the Frechet distance between the samples of a class (by the label that they were asked
for) and the real data of that class; their mean over classes is the intra-class FID on Inception
features (Miyato & Koyama 2018, "cGANs with projection discriminator", section 4.1). The worst
class is reported beside. It works for any label level, coarse or fine.

Range [0, inf), lower is better, in squared units of the features.

It sees what the global distance hides: a generator that draws the wrong class can have a global
FID of 4 and an intra-class FID of 54.

Pitfalls: classes are small, so the bias is large: read it beside the same of held-out real data
at equal counts. By default all classes of both sets are cut to the smallest class's count, so that
classes compare with each other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.base import LABELS, Outcome, Output, listed, register_metric
from mtgan.evaluation.metrics.frechet_distance import (
    frechet_from_statistics,
    warn_if_rank_deficient,
)
from mtgan.evaluation.pairwise.arrays import Array, as_feature_pair, as_labels, positive
from mtgan.evaluation.pairwise.gaussian import GaussianStatistics


@dataclass(frozen=True)
class IntraClassFrechet:
    """Distances by class, their mean (`mean`), the largest (`worst`) and its class.

    Attributes:
        per_class: Distance by class index.
        counts: Samples compared, by class index (the smaller side).
    """

    per_class: dict[int, float]
    mean: float
    worst: float
    worst_class: int
    counts: dict[int, int]

    def __float__(self) -> float:
        return self.mean


def intra_class_frechet(
    samples: Array,
    sample_labels: Array,
    reference: Array,
    reference_labels: Array,
    equal_counts: bool = True,
    per_class: int | None = None,
    seed: int = 0,
) -> IntraClassFrechet:
    """Frechet distance per class of features [M, D] against [N, D], each with labels.

    Samples whose label is negative (unknown) are left out.

    Args:
        equal_counts: Cut every class of both sets to one count; False takes what there is.
        per_class: That count; None takes the smallest class's.
        seed: Draws which samples are kept.

    Raises UserError for a class of the reference without two samples, samples of a class that the
    reference lacks, NaN and different D; warns once, like `frechet_distance`.
    """
    points, real = as_feature_pair(samples, reference)
    mine = as_labels(sample_labels, "sample_labels", len(points))
    theirs = as_labels(reference_labels, "reference_labels", len(real))
    rows = _rows_of_classes(mine, theirs)
    smallest = min(min(len(a), len(b)) for a, b in rows.values())
    if per_class is not None and positive(per_class, "per_class", 2) > smallest:
        raise UserError(
            f"per_class is {per_class}, but the smallest class has {smallest}: lower it."
        )
    count = (per_class or smallest) if equal_counts else None
    generator = torch.Generator().manual_seed(seed)

    def fit(features: Tensor, chosen: Tensor) -> GaussianStatistics:
        if count is not None and count < len(chosen):
            chosen = chosen[torch.randperm(len(chosen), generator=generator)[:count]]
        return GaussianStatistics.from_features(features[chosen.to(features.device)])

    distances, counts = {}, {}
    for index, (a, b) in rows.items():
        pair = fit(points, a), fit(real, b)
        distances[index] = frechet_from_statistics(*pair)
        counts[index] = min(pair[0].count, pair[1].count)
    warn_if_rank_deficient(min(counts.values()), points.shape[1])
    worst = max(distances, key=lambda index: distances[index])
    mean = sum(distances.values()) / len(distances)
    return IntraClassFrechet(distances, mean, distances[worst], worst, counts)


def _rows_of_classes(mine: Tensor, theirs: Tensor) -> dict[int, tuple[Tensor, Tensor]]:
    """By class of the reference, the rows of either set that have it; UserError where that does not
    give two of each."""
    classes = theirs[theirs >= 0].unique().tolist()
    foreign = sorted(set(mine[mine >= 0].tolist()) - set(classes))
    if foreign:
        raise UserError(
            f"Samples are labeled with classes that the reference lacks: {foreign[:10]}. "
            "Label both sets by the same level of the taxonomy."
        )
    rows = {
        index: ((mine == index).nonzero()[:, 0], (theirs == index).nonzero()[:, 0])
        for index in classes
    }
    for index, (a, b) in rows.items():
        if min(len(a), len(b)) < 2:
            raise UserError(
                f"Class {index} has {len(a)} samples and {len(b)} reference points, at least two "
                "are needed of each: generate samples of every class."
            )
    if not rows:
        raise UserError("reference_labels names no class: all labels are negative.")
    return rows


MIN_CLASS = 16
"""Classes with fewer samples on either side are left out on a card."""


@register_metric(
    "intra_class_frechet",
    Output(
        "intra_class_frechet",
        "lower",
        "conditioning",
        "distance",
        axis_per_level=True,
        range=(0, math.inf),
    ),
    Output("worst_class_frechet", "lower", range=(0, math.inf)),
    needs=LABELS,
    source="Miyato & Koyama 2018, per level, with the worst class",
    function=intra_class_frechet,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Frechet distance within each class at equal counts: mean over classes, worst, and each."""
    context = comparison.context
    values, details, notes = {}, {}, []
    for level in comparison.requested_levels:
        labels = [comparison.requested(level).copy(), comparison.truth(level).copy()]
        classes = context.taxonomy.classes[level]
        counts = [np.bincount(column[column >= 0], minlength=len(classes)) for column in labels]
        fewest = np.minimum(*counts)
        small = fewest < MIN_CLASS
        notes.append(_averaged(level, classes, fewest))
        if small.all():
            continue
        for column in labels:
            column[np.isin(column, np.flatnonzero(small))] = -1
        found = intra_class_frechet(
            comparison.generated.points,
            labels[0],
            comparison.reference.points,
            labels[1],
            seed=context.seed,
        )
        key = f"intra_class_frechet/{level}"
        values[key] = found.mean
        values[f"worst_class_frechet/{level}"] = found.worst
        details[key] = {classes[index]: value for index, value in found.per_class.items()}
    return Outcome(values, details, notes)


def _averaged(level: str, classes: Sequence[str], fewest: np.ndarray) -> str:
    """What the distances within classes are over; fewest: samples of each class, smaller side."""
    small = fewest < MIN_CLASS
    key = f"intra_class_frechet/{level}"
    least = f", {fewest[~small].min()} samples of each" if not small.all() else ""
    sentence = f"{key} is over {(~small).sum()} of {len(classes)} classes{least}"
    if not small.any():
        return sentence
    names = [f"{classes[index]} ({fewest[index]})" for index in np.flatnonzero(small).tolist()]
    return f"{sentence}; left out, fewer than {MIN_CLASS} samples on a side: {listed(names)}"
