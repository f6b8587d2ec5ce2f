"""Refusals in one sentence: sets that cannot be compared, labels that do not fit."""

import numpy as np

from mtgan.data import Dataset
from mtgan.errors import UserError


def check_alike(samples: np.ndarray, reference: np.ndarray) -> None:
    """Refuse samples that are not uint8 images of the reference's shape.

    Args:
        samples: What should be uint8 [N, C, H, W].
        reference: uint8 [M, C, H, W].
    """
    if samples.ndim != 4 or samples.dtype != np.uint8:
        raise UserError(
            f"samples are uint8 arrays [N, C, H, W], these are {samples.dtype} of shape "
            f"{samples.shape}: scale them to 0..255 and convert with .astype('uint8')"
        )
    if samples.shape[1:] != reference.shape[1:]:
        mine, theirs = (" x ".join(map(str, s.shape[1:])) for s in (samples, reference))
        alike = samples.shape[1] == reference.shape[1]
        raise UserError(
            f"the samples are {mine} (channels x height x width) and the reference is {theirs}: "
            + (
                "give both one size by --size HxW"
                if alike
                else "make both grey or both color, or give another --data"
            )
        )


def check_labels(labels: np.ndarray, count: int, reference: Dataset) -> None:
    """Refuse labels that do not fit the samples or the reference's taxonomy.

    Args:
        labels: What should be integers [N, L], -1 where missing.
        count: N.
        reference: Gives the L levels and their classes.
    """
    levels = reference.taxonomy.levels
    if labels.shape != (count, len(levels)) or not np.issubdtype(labels.dtype, np.integer):
        raise UserError(
            f"labels of {count} samples are integers of shape ({count}, {len(levels)}), one column "
            f"for each of {', '.join(levels) or 'no levels'}; these are {labels.dtype} of shape "
            f"{labels.shape}"
        )
    for column, level in enumerate(levels):
        check_class_range(labels[:, column], level, reference)


def check_class_range(labels: np.ndarray, level: str, reference: Dataset) -> None:
    """Refuse class numbers of a level that the reference has not; labels are integers [N]."""
    classes = reference.taxonomy.num_classes(level)
    low, high = (int(labels.min()), int(labels.max())) if len(labels) else (0, 0)
    if low < -1 or high >= classes:
        raise UserError(
            f"labels of level {level!r} run from {low} to {high}, but {reference.name} has "
            f"classes 0 to {classes - 1} there (-1 means missing): map them to its classes"
        )
