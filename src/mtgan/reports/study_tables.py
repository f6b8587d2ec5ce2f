"""Tables of a study's page beside those of its measures."""

import math
from typing import Any

from mtgan.studies.collect import StudyResult
from mtgan.studies.conclusions import Statistics
from mtgan.studies.measures import Measure
from mtgan.studies.thresholds import TimeToThreshold

NONE = "–"
_MEDIANS = (
    "Medians over seeds, with 95 % bootstrap intervals in brackets; in parentheses how many seeds "
    "came so far."
)
_SHARES = (
    "A run failed that diverged, or of which a measure is not finite or beyond the limit that the "
    "study fixes; Wilson's 95 % intervals in brackets."
)


def short_p(value: float) -> str:
    return "<0.0001" if value < 1e-4 else f"{value:.2g}"


def time_tables(result: StudyResult, statistics: Statistics) -> list[dict[str, Any]]:
    """For each measure with thresholds, when these are reached: a row a label, a column each."""
    marks = result.study.marks
    if marks is None:
        return []
    tables = []
    for name, thresholds in result.study.thresholds.items():
        rows: dict[str, list[str]] = {}
        for time in statistics.times:
            if time.measure == name:
                rows.setdefault(time.label, []).append(_time(time, marks.at[-1]))
        titles = [f"{threshold:g}" for threshold in thresholds]
        title = f"{Measure(name=name).title}: {marks.unit} until"
        tables.append({"title": title, "titles": titles, "rows": [*rows.items()], "note": _MEDIANS})
    return tables


def failure_tables(statistics: Statistics) -> list[dict[str, Any]]:
    """The share of failed runs of every arm, and p against the arm that it is compared with."""
    if not statistics.failures:
        return []
    compared = {row.first: row for row in statistics.failure_comparisons}
    rows = []
    for one in statistics.failures:
        row = compared.get(one.arm)
        low, high = one.interval
        against = [row.second, row.test, short_p(row.p), short_p(row.p_holm)] if row else [NONE] * 4
        share = f"{one.share:.0%}" if one.runs else NONE
        counts = [str(number) for number in (one.runs, one.failed, one.diverged)]
        rows.append((one.arm, [*counts, f"{share} [{low:.0%}, {high:.0%}]", *against]))
    titles = ["runs", "failed", "diverged", "share", "against", "test", "p", "p Holm"]
    table = {"title": "failed runs", "titles": titles, "rows": rows, "note": _SHARES}
    return [table]


def _time(time: TimeToThreshold, last: float) -> str:
    """A median with its interval; what lies behind the last mark is not known."""

    def shown(value: float) -> str:
        return f"{value:.3g}" if math.isfinite(value) else f"over {last:g}"

    text = shown(time.median)
    if time.interval:
        text += f" [{shown(time.interval[0])}, {shown(time.interval[1])}]"
    return text if time.reached in {0, time.seeds} else f"{text} ({time.reached} of {time.seeds})"
