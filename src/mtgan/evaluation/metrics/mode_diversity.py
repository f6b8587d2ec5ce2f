"""Does each class vary as it does in real data?

Definition: the mean distance of random pairs within a mode (the finest predicted class, or a
cluster) over the same of the reference, averaged over the modes that the reference shows; a mode
that is never generated counts 0, and 1 is as diverse as real. `superclass_diversity/LEVEL` is the
same within the predicted classes of each coarser level. A class is shown by more samples than the
classifier's own mistakes explain (`presence.present_classes`).

Range [0, inf); 1 is like real.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from mtgan.evaluation.comparison import CLUSTERS, Comparison, SampleSet
from mtgan.evaluation.metrics.base import Outcome, Output, listed, register_metric

PAIRS = 2_000
"""Random pairs per class for the mean distance within a class."""


def within_class_distances(
    features: np.ndarray, classes: np.ndarray, count: int, seed: int = 0
) -> np.ndarray:
    """Mean Euclidean distance of random pairs within each class.

    Args:
        features: float [N, D].
        classes: int64 [N] in [0, count), -1 for samples of no class.
        count: Number of classes.
        seed: Draws the pairs.

    Returns:
        float64 [count]; nan for classes of fewer than two samples.
    """
    random = np.random.default_rng(seed)
    result = np.full(count, np.nan)
    for index in range(count):
        rows = np.flatnonzero(classes == index)
        if len(rows) < 2:
            continue
        first = random.integers(0, len(rows), PAIRS)
        second = (first + random.integers(1, len(rows), PAIRS)) % len(rows)
        gaps = features[rows[first]] - features[rows[second]]
        result[index] = np.linalg.norm(gaps, axis=1).mean(dtype=np.float64)
    return result


def mode_diversity(
    features: np.ndarray,
    classes: np.ndarray,
    reference: np.ndarray,
    reference_classes: np.ndarray,
    seed: int = 0,
) -> float:
    """Spread of features [M, D] within classes int64 [M], over that of a reference [N, D]; -1 for
    samples of no class. nan where the reference has no class of two different samples."""
    count = int(max(classes.max(), reference_classes.max())) + 1
    ours, usual = (
        within_class_distances(points, labels, count, seed)
        for points, labels in ((features, classes), (reference, reference_classes))
    )
    ratios = _over_usual(ours, usual)
    return float(np.mean(list(ratios.values()))) if ratios else math.nan


def _over_usual(ours: np.ndarray, usual: np.ndarray) -> dict[int, float]:
    """Spread over the usual one by class, where that is known; 0 where there is none of ours."""
    return {
        index: float(mine / theirs) if np.isfinite(mine) else 0.0
        for index, (mine, theirs) in enumerate(zip(ours, usual, strict=True))
        if np.isfinite(theirs) and theirs > 0
    }


@register_metric(
    "mode_diversity",
    Output("mode_diversity", "like real", "diversity", "two-sided", range=(0, math.inf)),
    Output("superclass_diversity", "like real", range=(0, math.inf)),
    source="spread within each mode, over that of real data",
    function=mode_diversity,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Spread of features within each mode, as a ratio to that of real data."""
    context = comparison.context
    classes = context.taxonomy.classes
    levels = context.levels[1:]
    modes = classes[context.levels[0]] if context.levels else tuple(map(str, range(CLUSTERS)))
    names = {"mode_diversity": modes}
    names |= {f"superclass_diversity/{level}": classes[level] for level in levels}
    shows: list[Callable[[SampleSet], np.ndarray]]
    shows = [context.detected_modes, *(partial(context.detected, level) for level in levels)]
    values, details, notes = {}, {}, []
    for (key, known), show in zip(names.items(), shows, strict=True):
        ratios = _ratios(comparison, key, show, known)
        if ratios:
            values[key], details[key] = float(np.mean(list(ratios.values()))), ratios
        if absent := [name for name in known if name not in ratios]:
            notes.append(
                f"{key} is over {len(ratios)} of {len(known)} {context.mode_noun}: the real data "
                f"show no variety of {listed(absent)}, or no more samples than would be mistakes"
            )
    return Outcome(values, details, notes)


def _ratios(
    comparison: Comparison,
    key: str,
    show: Callable[[SampleSet], np.ndarray],
    names: Sequence[str],
) -> dict[str, float]:
    """Spread within each class that the reference shows, generated over real; 0 where none is."""

    def spread(judged: SampleSet) -> np.ndarray:
        seed = comparison.context.seed
        return within_class_distances(judged.features, show(judged), len(names), seed)

    real = comparison.reference
    usual = real.once(("spread", key), lambda: spread(real))
    ratios = _over_usual(spread(comparison.generated), usual)
    return {names[index]: ratio for index, ratio in ratios.items()}
