"""What a card says under its table: the features, what was left out, and what is unsteady."""

from collections.abc import Sequence

import numpy as np

from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.features import FeatureExtractor
from mtgan.evaluation.measures import Measure

SMALL_CLASS = 200
"""Fewer samples of a class than this make its own numbers unsteady."""


def left_out(measures: Sequence[Measure], comparison: Comparison) -> list[str]:
    """Which measures could not be had, by reason."""
    reasons: dict[str, list[str]] = {}
    for item in measures:
        if reason := item.missing(comparison):
            reasons.setdefault(reason, []).append(item.name)
    return [f"left out, {reason}: {', '.join(names)}" for reason, names in reasons.items()]


def small_sets(comparison: Comparison, extractor: FeatureExtractor) -> list[str]:
    """Warnings about sample sizes and absent classes."""
    notes, setting = [], comparison.setting
    count = len(comparison.generated)
    if count <= extractor.dim:
        notes.append(
            f"{count:,} samples span fewer than the {extractor.dim:,} feature dimensions: Frechet "
            "distances are biased upward; compare at equal N only"
        )
    labels = comparison.generated.labels
    for level in setting.levels if labels is not None else ():
        notes += _small_classes(comparison.asked(level), level, setting.taxonomy.classes[level])
    return notes


def _small_classes(asked: np.ndarray, level: str, classes: Sequence[str]) -> list[str]:
    notes = []
    sizes = np.bincount(asked[asked >= 0], minlength=len(classes))
    absent = [name for name, size in zip(classes, sizes, strict=True) if not size]
    if absent:
        shown = ", ".join(absent[:5]) + (" ..." if len(absent) > 5 else "")
        notes.append(f"no sample was asked for {len(absent)} classes of {level}: {shown}")
    if len(absent) < len(sizes) and (fewest := sizes[sizes > 0].min()) < SMALL_CLASS:
        notes.append(
            f"classes of {level} have as few as {fewest} samples: numbers per class are unsteady "
            f"below {SMALL_CLASS}"
        )
    return notes
