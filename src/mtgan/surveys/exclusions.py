"""Whose answers are left out, by the rules of the plan."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from mtgan.surveys.schema import Rules
from mtgan.surveys.table import Answers


@dataclass(frozen=True)
class Exclusions:
    """Attributes:
    by_rater: The rules that a rater who is left out has broken.
    counts: How many have broken each rule.
    """

    by_rater: dict[str, tuple[str, ...]]
    counts: dict[str, int]


def exclude(rows: Answers, rules: Rules) -> Exclusions:
    """Who is left out, and by which rules."""
    by_rater = {}
    for index, rater in enumerate(rows.raters):
        own = rows.of_rater(index)
        if broken := tuple(name for name, breaks in _RULES.items() if breaks(own, rules)):
            by_rater[rater] = broken
    counts = {name: sum(name in broken for broken in by_rater.values()) for name in _RULES}
    return Exclusions(by_rater, counts)


def answered(rows: Answers) -> Answers:
    return rows.where(rows.answer != "")


def agreements(rows: Answers) -> np.ndarray:
    """Of each repeated trial that was answered both times, whether the outcome was the same: float
    [k], in the order of the repeats in `rows`; nan where the first was not answered."""
    rows = answered(rows)
    main = rows.of_kind("main")
    first = dict(zip(_keys(main), main.outcome, strict=True))
    repeats = rows.of_kind("repeat")
    return np.array(
        [
            float(first[key] == outcome) if key in first else np.nan
            for key, outcome in zip(_keys(repeats), repeats.outcome, strict=True)
        ]
    )


def _keys(rows: Answers) -> list[tuple[Any, ...]]:
    return list(zip(rows.rater.tolist(), rows.stimulus.tolist(), strict=True))


def _fails_catch(own: Answers, rules: Rules) -> bool:
    right = own.right[~np.isnan(own.right)]
    return bool(len(right)) and bool(right.mean() < rules.least_catch)


def _is_fast(own: Answers, rules: Rules) -> bool:
    known = own.ms[~np.isnan(own.ms)]
    return bool(len(known)) and bool(np.median(known) < rules.fastest_ms)


def _is_alike(own: Answers, rules: Rules) -> bool:
    main = answered(own.of_kind("main"))
    if len(main) < 2:
        return False
    return bool(np.unique(main.answer, return_counts=True)[1].max() / len(main) > rules.most_alike)


def _stops_early(own: Answers, rules: Rules) -> bool:
    return bool((own.answer != "").mean() < rules.least_answered)


def _disagrees(own: Answers, rules: Rules) -> bool:
    found = agreements(own)
    found = found[~np.isnan(found)]
    return bool(len(found)) and bool(found.mean() < rules.least_agreement)


_RULES: MappingProxyType[str, Callable[[Answers, Rules], bool]] = MappingProxyType(
    {
        "least_catch": _fails_catch,
        "fastest_ms": _is_fast,
        "most_alike": _is_alike,
        "least_answered": _stops_early,
        "least_agreement": _disagrees,
    }
)
