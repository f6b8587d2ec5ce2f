"""What the statistics support, in plain words, and no more than that."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from mtgan.correction import holm
from mtgan.registry import nearest
from mtgan.studies.collect import StudyResult
from mtgan.studies.failures import (
    FailureComparison,
    FailureShare,
    failure_comparisons,
    failure_sentences,
    failure_shares,
    p_words,
    unfinished_sentences,
)
from mtgan.studies.kinds import KINDS
from mtgan.studies.measures import Measure
from mtgan.studies.search import KeyEffect, effect_sentences, key_effects
from mtgan.studies.statistics import (
    LEAST_FOR_TESTS,
    MOST_SEEDS,
    POWER,
    CellDifference,
    Summary,
    compare,
    summarize,
)
from mtgan.studies.thresholds import TimeToThreshold, times_to_thresholds

_MOST_NAMED = 10  # seeds in a sentence
_MOST_UNTESTED = 3  # sentences of comparisons with too few runs


@dataclass(frozen=True)
class Row:
    """One comparison of two cells on one measure, corrected over all of the study."""

    measure: Measure
    first: str
    second: str
    better: str
    means: tuple[float, float]
    comparison: CellDifference
    p_holm: float = 1.0
    family: int = 1
    alpha: float = 0.05

    @property
    def significant(self) -> bool:
        """Whether a difference may be claimed: enough runs, and p below alpha after Holm."""
        return self.comparison.enough and self.p_holm < self.alpha

    @property
    def improves(self) -> float | None:
        """Probability that a run of the first cell is better than one of the second."""
        larger = self.comparison.improvement
        return 1 - larger if larger is not None and self.better == "lower" else larger

    @property
    def verdict(self) -> str:
        """What was found: "better", "worse", "higher", "lower", "no difference found" or
        "too few seeds"."""
        if not self.comparison.enough:
            return "too few seeds"
        if not self.significant:
            return "no difference found"
        word = "higher" if self.comparison.difference > 0 else "lower"
        return word if not self.better else "better" if word == self.better else "worse"


@dataclass(frozen=True)
class Statistics:
    """All that a page says of a study: summaries by measure and cell, rows, sentences.

    without_value: seeds of finished runs that have no value, by measure and cell. times: until
    the study's thresholds. failures: shares of failed runs by arm, where the study asks for them.
    effects: of a space's keys.
    """

    summaries: dict[str, dict[str, Summary]]
    rows: list[Row]
    sentences: list[str]
    without_value: dict[str, dict[str, list[int]]]
    times: list[TimeToThreshold]
    failures: list[FailureShare]
    failure_comparisons: list[FailureComparison]
    effects: list[KeyEffect]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "conclusions": self.sentences,
            "summaries": {
                measure: {label: asdict(summary) for label, summary in cells.items()}
                for measure, cells in self.summaries.items()
            },
            "without_value": self.without_value,
            "failures": [
                {**asdict(one), "share": one.share if one.runs else None} for one in self.failures
            ],
            "failure_comparisons": [asdict(one) for one in self.failure_comparisons],
            "effects": [asdict(one) for one in self.effects],
            "times": [_finite(asdict(time)) for time in self.times],
            "comparisons": [
                {
                    "measure": row.measure.name,
                    "first": row.first,
                    "second": row.second,
                    "verdict": row.verdict,
                    "p_holm": row.p_holm,
                    "family": row.family,
                    **asdict(row.comparison),
                }
                for row in self.rows
            ],
        }


def conclude(result: StudyResult) -> Statistics:
    """Summaries, comparisons and conclusions of a study's finished runs."""
    summaries = {
        measure.name: {
            label: summarize(np.array(list(values.values())))
            for label in result.labels
            if (values := result.values(label, measure.name))
        }
        for measure in result.study.measures
    }
    without_value = {
        measure.name: {
            label: seeds
            for label in result.labels
            if (seeds := result.without_value(label, measure.name))
        }
        for measure in result.study.measures
    }
    shares, compared = failure_shares(result), failure_comparisons(result)
    effects = key_effects(result)
    beside = [*(one.p for one in compared), *(one.p for one in effects)]
    rows, corrected = comparisons(result, beside)
    compared = [replace(one, p_holm=p) for one, p in zip(compared, corrected, strict=False)]
    corrected = corrected[len(compared) :]
    effects = [replace(one, p_holm=p) for one, p in zip(effects, corrected, strict=True)]
    tested = [row for row in rows if row.comparison.enough]
    claims_first = sorted(tested, key=lambda row: not row.significant)
    sentences = [
        *unfinished_sentences(result),
        *KINDS.get(result.study.kind).answers(result.study, rows),
        *failure_sentences(shares, compared, result.study.alpha),
        *effect_sentences(effects, result.study.alpha),
        *(missing_sentence(result, measure) for measure in result.study.measures),
        *(best_sentence(result, measure, rows) for measure in result.study.measures),
        *(sentence(row) for row in claims_first),
        *_untested([row for row in rows if not row.comparison.enough]),
    ]
    sentences = [text[0].upper() + text[1:] for text in sentences if text]
    return Statistics(
        *(summaries, rows, sentences, without_value),
        times_to_thresholds(result),
        *(shares, compared, effects),
    )


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """With None for what JSON has no number for."""
    interval = values["interval"] and [
        end if math.isfinite(end) else None for end in values["interval"]
    ]
    median = values["median"] if math.isfinite(values["median"]) else None
    return {**values, "median": median, "interval": interval}


def comparisons(result: StudyResult, beside: Sequence[float] = ()) -> tuple[list[Row], list[float]]:
    """Every comparison that can be made, Holm-corrected over all of them: cells times measures,
    and those of which the p-values stand `beside`, whose corrected ones are returned, too.

    Cells are paired by seed where they share at least two seeds, and then compared on those alone.
    Comparisons with too few runs for a claim stand there, and do not count in the correction.
    """
    found = [
        (measure, first, second, *paired_values(result, measure, first, second))
        for measure in result.study.measures
        if measure.compared
        for first, second in result.pairs
        if not result.shares_runs(first, second)
    ]
    found = [entry for entry in found if len(entry[3]) and len(entry[4])]
    tested = len(beside) + sum(
        min(len(entry[3]), len(entry[4])) >= LEAST_FOR_TESTS for entry in found
    )
    level = result.study.alpha / max(1, tested)
    rows = []
    for measure, first, second, ours, theirs, paired in found:
        rows.append(
            Row(
                measure=measure,
                first=first,
                second=second,
                better=result.better(measure),
                means=(float(ours.mean()), float(theirs.mean())),
                comparison=compare(ours, theirs, paired, level),
                family=tested,
                alpha=result.study.alpha,
            )
        )
    claims = [i for i, row in enumerate(rows) if row.comparison.enough]
    corrected = holm(np.array([*(rows[i].comparison.p for i in claims), *beside])).tolist()
    for i, p in zip(claims, corrected, strict=False):
        rows[i] = replace(rows[i], p_holm=p)
    return rows, corrected[len(claims) :]


def paired_values(
    result: StudyResult, measure: Measure, first: str, second: str
) -> tuple[np.ndarray, np.ndarray, bool]:
    """A measure of two cells, and whether the i-th values are of the same seed: where the cells
    share at least two seeds, of those alone."""
    ours, theirs = (result.values(label, measure.name) for label in (first, second))
    shared = sorted(ours.keys() & theirs.keys())
    if len(shared) >= 2:
        return np.array([ours[s] for s in shared]), np.array([theirs[s] for s in shared]), True
    return np.array(list(ours.values())), np.array(list(theirs.values())), False


def runs_without_value(result: StudyResult, measure: Measure) -> list[str]:
    """For each cell in which finished runs lack a measure, how many, and of which seeds."""
    found = []
    for label in result.labels:
        if seeds := result.without_value(label, measure.name):
            some = ", ".join(map(str, seeds[:_MOST_NAMED])) + ", ..." * (len(seeds) > _MOST_NAMED)
            found.append(
                f"{len(seeds)} of {len(result.finished_of(label))} runs of {label} have no value "
                f"of this measure (seed{'s' * (len(seeds) > 1)} {some})"
            )
    return found


def missing_sentence(result: StudyResult, measure: Measure) -> str:
    """Which finished runs count in nothing that is said of a measure; "" where all have one."""
    recorded = {name for done in result.results.values() for name in done["values"]}
    if measure.name not in recorded:
        return f"no run has the measure {measure.name!r}: {nearest(measure.name, list(recorded))}"
    parts = runs_without_value(result, measure)
    if not parts:
        return ""
    return f"{measure.title}: {'; '.join(parts)}. What is absent or not finite counts nowhere."


def sentence(row: Row) -> str:
    """One comparison in words."""
    c, what = row.comparison, row.measure.title
    figures = f"{_number(row.means[0])} against {_number(row.means[1])}"
    if c.interval is not None:
        figures += (
            f", a difference of {_number(c.difference, sign=True)} with a 95 % interval from "
            f"{_number(c.interval[0], sign=True)} to {_number(c.interval[1], sign=True)}"
        )
    seeds = f"{c.count[0]} seeds each" if c.count[0] == c.count[1] else f"{c.count} seeds"
    if not c.enough:
        return (
            f"{what}, {row.first} and {row.second}: {figures}. With {min(c.count)} "
            f"seed{'s' * (min(c.count) > 1)} no significance is claimed; take at least "
            f"{LEAST_FOR_TESTS}."
        )
    corrected = f" after Holm's correction for {row.family} comparisons" if row.family > 1 else ""
    test = f"{c.test} test, {p_words(row.p_holm)}{corrected}"
    if row.significant:
        word = {"better": "better", "worse": "worse"}.get(row.verdict)
        size = "higher" if c.difference > 0 else "lower"
        judged = f" ({word})" if word else ""
        return (
            f"{what}: {row.first} is {size}{judged} than {row.second}: {figures} ({seeds}; {test}; "
            f"Hedges' g {_number(c.effect, sign=True)})."
        )
    return (
        f"{what}: no difference was found between {row.first} and {row.second}: {figures} "
        f"({seeds}; {test}). {_power(c)}"
    )


def _untested(rows: Sequence[Row]) -> list[str]:
    """A sentence for each comparison with too few runs; of many, one for each measure."""
    if len(rows) <= _MOST_UNTESTED:
        return [sentence(row) for row in rows]
    found = []
    for measure, of_measure in groupby(rows, lambda row: row.measure):
        found.append(
            f"{measure.title}: {len(list(of_measure))} comparisons have fewer than "
            f"{LEAST_FOR_TESTS} seeds, and no significance is claimed."
        )
    return found


def best_sentence(result: StudyResult, measure: Measure, rows: Sequence[Row]) -> str:
    """The cell with the best median of a measure, and whether a test supports that it differs from
    its baseline; "" where no direction is better, or fewer than two cells have runs."""
    better = result.better(measure)
    medians = {
        label: float(np.median(list(values.values())))
        for label in result.labels
        if (values := result.values(label, measure.name))
    }
    if better not in {"lower", "higher"} or len(medians) < 2:
        return ""
    best = (min if better == "lower" else max)(medians, key=lambda label: medians[label])
    text = f"{measure.title}: {best} has the best median, {_number(medians[best])}"
    row = next((r for r in rows if r.measure == measure and r.first == best), None)
    if row is None:
        baselines = {second for _, second in result.pairs}
        note = ", a baseline itself" if best in baselines else ""
    elif not row.comparison.enough:
        note = "; with so few seeds that is no more than a name"
    elif row.verdict == "better":
        note = f", and is better than {row.second} ({p_words(row.p_holm)})"
    else:
        note = f"; that it differs from {row.second} is not shown ({p_words(row.p_holm)})"
    return f"{text}{note}."


def _power(c: CellDifference) -> str:
    if c.difference == 0:
        return "The means are equal."
    if c.seeds_needed is None:
        return (
            f"More than {MOST_SEEDS:,} seeds would be needed to show a difference as small as the "
            "one seen."
        )
    if c.seeds_needed <= min(c.count):
        return (
            f"A difference as large as the one seen is found with {c.seeds_needed} seeds "
            f"{POWER:.0%} of the time."
        )
    return (
        f"{c.seeds_needed} seeds would be needed to show a difference like the one seen "
        f"(power {POWER:.0%})."
    )


def _number(value: float, sign: bool = False) -> str:
    return f"{value:+.4g}" if sign else f"{value:.4g}"
