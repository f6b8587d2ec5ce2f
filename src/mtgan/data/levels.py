"""What columns of labels say of their levels: one-hot columns, and which level lies in which.

N: samples; K: classes of a level.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mtgan.data.taxonomy import Taxonomy


def taxonomy_of(levels: Mapping[str, list[str]]) -> Taxonomy:
    """Independent levels, without parents."""
    return Taxonomy(
        tuple(levels), {level: tuple(names) for level, names in levels.items()}, parents={}
    )


def one_hot(labels: np.ndarray) -> np.ndarray | None:
    """int64 [N]: the column of the one in each row of [N, K], where all else is zero; None where
    the rows are not so, or all show the same column."""
    if labels.shape[1] < 2 or not len(labels):
        return None
    binary = ((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all()
    classes = labels.argmax(axis=1).astype(np.int64)
    return classes if binary and len(np.unique(classes)) > 1 else None


def one_hot_note(level: str, count: int) -> str:
    """What is said where one-hot columns were read as one level."""
    return f"The labels are one-hot: their {count} columns are read as one level {level!r}."


def never_together(taxonomy: Taxonomy, rows: np.ndarray, level: str, other: str) -> bool:
    """Whether no sample has labels of both levels, as in image sets side by side.

    rows: int64 [N, L] or more columns, those of the taxonomy's levels first; -1 where missing.
    """
    columns = [taxonomy.levels.index(name) for name in (level, other)]
    return not (rows[:, columns] >= 0).all(axis=1).any()


def with_found_parents(taxonomy: Taxonomy, labels: np.ndarray) -> Taxonomy:
    """Parents for every level that the next one coarsens: each of its classes occurs with one
    class there, and some class there has several. Levels without that relation stay independent.
    """
    parents: dict[str, tuple[str, tuple[int, ...]]] = {}
    for column, (level, above) in enumerate(
        zip(taxonomy.levels, taxonomy.levels[1:], strict=False)
    ):
        sizes = taxonomy.num_classes(level), taxonomy.num_classes(above)
        found = found_parents(labels[:, column], labels[:, column + 1], *sizes)
        if found is None:
            break
        parents[level] = (above, found)
    return replace(taxonomy, parents=parents)


def found_parents(
    labels: np.ndarray, above: np.ndarray, count: int, count_above: int
) -> tuple[int, ...] | None:
    """The class above each of `count` classes, by the labels [N] of both levels; None where the
    other level, of `count_above` classes, does not coarsen this one."""
    known = (labels >= 0) & (above >= 0)
    pairs = np.unique(np.stack([labels[known], above[known]], axis=1), axis=0)
    every = len(pairs) == count == len(np.unique(pairs[:, 0]))
    return tuple(pairs[:, 1].tolist()) if every and count_above < count else None
