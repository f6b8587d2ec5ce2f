"""What a card says under its table: the features, what was left out, and what is unsteady."""

import hashlib
from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

import numpy as np

from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.data import EvaluationData
from mtgan.evaluation.features import FeatureExtractor
from mtgan.evaluation.metrics import Metric, listed
from mtgan.evaluation.scorecard.values import Entry

SMALL_CLASS = 200
"""Fewer samples of a class than this make its own numbers unsteady."""


def left_out(metrics: Sequence[Metric], comparison: Any) -> list[str]:
    """Which metrics could not be had, by reason."""
    reasons: dict[str, list[str]] = {}
    for item in metrics:
        if reason := item.missing(comparison):
            reasons.setdefault(reason, []).append(item.name)
    return [f"left out, {reason}: {', '.join(names)}" for reason, names in reasons.items()]


def shared_images(sets: EvaluationData) -> list[str]:
    """Which samples are pixel for pixel the real images that they are compared with."""
    mine, real = _digests(sets.generated.samples), _digests(sets.real.samples)
    unseen = [] if sets.held_out is None else _digests(sets.held_out.samples)
    notes = []
    known, fresh = set(real), set(unseen) - set(real)
    of_real, of_unseen = (sum(image in others for image in mine) for others in (known, fresh))
    if same := of_real + of_unseen:
        split = f"the reference ({sets.real.split} split)"
        parts = [f"{of_real:,} to images of {split}", f"{of_unseen:,} to held-out ones"]
        counts = ", ".join(part for part in parts if not part.startswith("0 "))
        notes.append(
            f"{same:,} of {len(mine):,} samples are identical to real images: {counts}"
            + ("; these are draws from one set" if of_real and same == len(mine) else "")
        )
    if twice := sum(image in known for image in unseen):
        notes.append(
            f"{twice:,} of {len(unseen):,} held-out images are in the reference as well: what real "
            "data get is too good"
        )
    return notes


def _digests(images: np.ndarray) -> list[bytes]:
    return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]


def unscored(entries: Mapping[str, Entry]) -> list[str]:
    """Which metrics of an axis have no score, so that the axis is without them."""
    names = [name for name, e in entries.items() if e.axis and (e.score is None or isnan(e.score))]
    if not names:
        return []
    return [f"not in their axis, real data and floor cannot be told apart: {listed(names)}"]


def small_sets(comparison: Comparison, extractor: FeatureExtractor) -> list[str]:
    """Warnings about sample sizes, absent classes, and levels and labels that are missing."""
    notes, context = [], comparison.context
    count = len(comparison.generated)
    if count <= extractor.dim:
        notes.append(
            f"{count:,} samples span fewer than the {extractor.dim:,} feature dimensions: Frechet "
            "distances are biased upward; compare at equal N only"
        )
    if bare := [level for level in context.taxonomy.levels if level not in context.levels]:
        notes.append(
            f"label levels of fewer than two classes in the reference are left out: {listed(bare)}"
        )
    labels = comparison.generated.labels
    for level in context.levels if labels is not None else ():
        requested = comparison.requested(level)
        if (requested < 0).all():
            notes.append(f"no sample was asked for a class of {level}: nothing is said of it")
            continue
        if missing := int((requested < 0).sum()):
            notes.append(
                f"{missing:,} of {count:,} samples were asked for no class of {level}: metrics "
                "of conditioning leave them out"
            )
        notes += _small_classes(requested, level, context.taxonomy.classes[level])
    return notes


def _small_classes(requested: np.ndarray, level: str, classes: Sequence[str]) -> list[str]:
    notes = []
    sizes = np.bincount(requested[requested >= 0], minlength=len(classes))
    absent = [name for name, size in zip(classes, sizes, strict=True) if not size]
    if absent:
        notes.append(f"no sample was asked for {len(absent)} classes of {level}: {listed(absent)}")
    if len(absent) < len(sizes) and (fewest := sizes[sizes > 0].min()) < SMALL_CLASS:
        notes.append(
            f"classes of {level} have as few as {fewest} samples: numbers per class are unsteady "
            f"below {SMALL_CLASS}"
        )
    return notes
