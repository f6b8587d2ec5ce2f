"""Numbers on the scale of their reference: scores, axes, intervals and readings."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mtgan.evaluation.calibration.corruptions import Corruption
from mtgan.evaluation.metrics import Metric, Output
from mtgan.evaluation.scorecard.scoring import (
    CONDITIONING,
    SCALES,
    axis_order,
    axis_scores,
    family,
    gate,
    overall,
)
from mtgan.evaluation.scorecard.values import Axis, CorruptionLevel, Entry

Values = Mapping[str, float]
CONFIDENCE = 1.96


@dataclass(frozen=True)
class Endpoints:
    """Values of real data and of the floors at one sample size, by measure.

    Attributes:
        ceiling: Held-out real data against the reference.
        floor: Of the floors of the measure's axis, the value farthest from the ceiling.
    """

    ceiling: Values
    floor: Values


@dataclass(frozen=True)
class Calibration:
    """The scale of one reference.

    Attributes:
        full: Endpoints at N samples.
        halves: Endpoints at N/2, one for each half-sample of the reference.
        corruption_levels: (corruption, amount in words, strength, values) of every level, at N.
    """

    full: Endpoints
    halves: tuple[Endpoints, ...]
    corruption_levels: tuple[tuple[str, str, float, Values], ...]

    @classmethod
    def from_dict(cls, values: Any) -> "Calibration":
        """The inverse of `asdict`; of anything else a LookupError, TypeError or ValueError."""
        return cls(
            Endpoints(**values["full"]),
            tuple(Endpoints(**half) for half in values["halves"]),
            tuple(
                (corruption, words, share, v)
                for corruption, words, share, v in values["corruption_levels"]
            ),
        )


def standard_error(halves: Sequence[Values], key: str) -> float:
    """Standard deviation of a number over half-samples; 0 for fewer than two."""
    values = [half[key] for half in halves if key in half]
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def output_of(metrics: Sequence[Metric], key: str) -> Output:
    """The output that a key belongs to, whichever measure gives it."""
    return next(found for item in metrics if (found := item.output(key)) is not None)


def axis_of(output: Output, key: str) -> str:
    """The axis a number counts for: label levels have axes of their own, `axis/level`."""
    level = key.partition("/")[2]
    return (
        f"{output.axis}/{level}" if output.axis and output.axis_per_level and level else output.axis
    )


def scores_of(values: Values, ends: Endpoints, metrics: Sequence[Metric]) -> dict[str, float]:
    """Score by measure, for every number that counts for an axis and has both ends."""
    scores = {}
    for key, value in values.items():
        output = output_of(metrics, key)
        if output.axis and key in ends.floor and key in ends.ceiling:
            scores[key] = SCALES[output.scale](value, ends.ceiling[key], ends.floor[key])
    return scores


def axes_of(scores: Mapping[str, float], metrics: Sequence[Metric]) -> dict[str, float]:
    """Score by axis."""
    return axis_scores(
        (axis_of(output_of(metrics, key), key), score) for key, score in scores.items()
    )


@dataclass(frozen=True)
class Scores:
    """What a calibrated card adds to its entries."""

    entries: dict[str, Entry]
    axes: dict[str, Axis]
    overall: float
    interval: tuple[float, float] | None
    gate: float | None
    corruption_levels: tuple[CorruptionLevel, ...]


def score(
    entries: Mapping[str, Entry],
    halves: Sequence[Values],
    calibration: Calibration,
    metrics: Sequence[Metric],
    without: frozenset[str] = frozenset(),
    corruptions: Sequence[Corruption] = (),
) -> Scores:
    """Put numbers on the scale of their reference.

    Args:
        entries: The numbers at N samples.
        halves: The numbers of half-samples, paired with `calibration.halves`.
        calibration: The scale.
        metrics: What gave the numbers.
        without: Axes that the judge is too weak for: their metrics get no score.
        corruptions: Those that the scale was measured with.
    """
    full = calibration.full
    judged = {key: entry.value for key, entry in entries.items() if entry.axis not in without}
    scores = scores_of(judged, full, metrics)
    axes = axes_of(scores, metrics)
    half_axes = [
        _only(axes_of(scores_of(half, ends, metrics), metrics), axes)
        for half, ends in zip(halves, calibration.halves, strict=True)
    ]
    levels = _scored_levels(calibration, metrics, axes)
    total = overall(axes)
    totals = [{"overall": overall(half)} for half in half_axes]
    return Scores(
        entries={
            key: replace(
                entry,
                ceiling=full.ceiling.get(key),
                floor=full.floor.get(key),
                score=scores.get(key),
            )
            for key, entry in entries.items()
        },
        axes={
            axis: Axis(
                axes[axis],
                _unit_interval(axes[axis], half_axes, axis),
                reading(axis, axes[axis], levels, corruptions),
            )
            for axis in sorted(axes, key=axis_order)
        },
        overall=total,
        interval=_unit_interval(total, totals, "overall"),
        gate=gate(axes),
        corruption_levels=levels,
    )


def _only(axes: Values, wanted: Iterable[str]) -> dict[str, float]:
    return {axis: value for axis, value in axes.items() if axis in wanted}


def _scored_levels(
    calibration: Calibration, metrics: Sequence[Metric], judged: Iterable[str]
) -> tuple[CorruptionLevel, ...]:
    """In scores, on the axes of conditioning that were judged and all others."""
    levels = []
    for corruption, words, strength, values in calibration.corruption_levels:
        scores = axes_of(scores_of(values, calibration.full, metrics), metrics)
        wanted = [axis for axis in scores if family(axis) != CONDITIONING or axis in judged]
        axes = _only(scores, wanted)
        levels.append(
            CorruptionLevel(corruption, words, strength, axes, overall(axes), dict(values))
        )
    return tuple(levels)


def interval_of(
    value: float, error: float, known: bool, *, unit: bool = False
) -> tuple[float, float] | None:
    """95 % interval of a number from its standard error, inside [0, 1] for scores."""
    if not known or math.isnan(value):
        return None
    low, high = value - CONFIDENCE * error, value + CONFIDENCE * error
    return (max(0.0, low), min(1.0, high)) if unit else (low, high)


def _unit_interval(value: float, halves: Sequence[Values], key: str) -> tuple[float, float] | None:
    return interval_of(value, standard_error(halves, key), bool(halves), unit=True)


def reading(
    axis: str, value: float, levels: Sequence[CorruptionLevel], corruptions: Sequence[Corruption]
) -> str:
    """A score in terms of corruption levels: "like real data with 3 of 10 classes missing".

    The nearest level of the corruption that reads the axis; held-out real data are the topmost.
    """
    names = [item.name for item in corruptions if family(axis) in item.reads]
    steps = {
        f"real data with {level.amount}": level.axes[axis]
        for level in levels
        if level.corruption in names and axis in level.axes
    }
    if not steps:
        return ""
    steps["held-out real data"] = 1.0
    nearest = min(steps, key=lambda words: abs(steps[words] - value))
    worst = min(steps, key=lambda words: steps[words])
    if nearest == worst and value < steps[worst]:
        return f"worse than {worst}"
    return f"like {nearest}"
