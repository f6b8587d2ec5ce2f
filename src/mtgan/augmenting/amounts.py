"""How many samples are added to each class of a level.

K: classes.
"""

from collections.abc import Callable

import numpy as np

from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.limits import LARGEST_COUNT, check_whole
from mtgan.registry import nearest

Rule = str | int
"""A name of RULES, or how many each class gets."""


def _equal(counts: np.ndarray) -> np.ndarray:
    """As many of each class as the most frequent one has."""
    return np.full(len(counts), counts.max())


def _log(counts: np.ndarray) -> np.ndarray:
    """Half of the way to that on a scale of logarithms: the geometric mean of both."""
    return np.round(np.sqrt(counts * float(counts.max()))).astype(np.int64)


RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"equal": _equal, "log": _log}
"""From the numbers of samples of each class [K], all above 0, to those that there should be."""


def as_rule(text: str) -> Rule:
    """A rule as it is written: the name of one, or a whole number; UserError for anything else."""
    if text in RULES:
        return text
    if not text.isdecimal():
        known = nearest(text, list(RULES))
        raise UserError(f"There is no rule {text!r}: {known} Or a number of samples per class.")
    check_whole("The rule's number", int(text), 1, LARGEST_COUNT)
    return int(text)


def amounts(counts: np.ndarray, rule: Rule) -> np.ndarray:
    """int64 [K]: how many samples are added to classes that have so many, int64 [K].

    A class without any gets none: nobody could say whether they are right.
    """
    there = counts > 0
    added = np.zeros(len(counts), dtype=np.int64)
    if isinstance(rule, int):
        added[there] = rule
    elif there.any():
        added[there] = RULES[rule](counts[there]) - counts[there]
    return added


def counts_at(data: Dataset, level: str | None) -> tuple[str, np.ndarray]:
    """A level (the finest that has labels when None), and int64 [K], how many samples each class
    has there.

    UserError for a level that there is not, or at which no sample has a label.
    """
    if not data.taxonomy.levels:
        raise UserError(
            f"{data.name} has no labels, and samples are added by class; see docs/data.md."
        )
    found = level or data.finest_labeled
    labels = data.labels_of(found)
    if not (labels >= 0).any():
        raise UserError(
            f"No sample of {data.name} has a label of level {found!r}; name another level, of "
            f"{', '.join(data.taxonomy.levels)}."
        )
    count = data.taxonomy.num_classes(found)
    return found, np.bincount(labels[labels >= 0], minlength=count)
