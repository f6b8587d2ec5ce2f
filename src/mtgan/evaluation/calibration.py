"""Ceiling, floors and ladder of a reference: the scale that samples are put on.

It depends on the real data alone, so it is computed once per (data, features, N, seed) and kept.
Intervals come from half-samples drawn without replacement: drawing with replacement makes
duplicates, which break every nearest-neighbor measure. The standard deviation over half-samples of
a set estimates the standard error of the whole set (n = N/2 of N: the finite-population factor
sqrt(1/n - 1/N) is exactly 1/sqrt(N)).
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mtgan.evaluation.anchors import FLOORS, LADDER, KnownDamage, RealSide
from mtgan.evaluation.comparison import Comparison, SampleSet
from mtgan.evaluation.measures import Measure, Output
from mtgan.evaluation.scorecard import Axis, Entry, Rung
from mtgan.evaluation.scoring import (
    AUTHENTICITY,
    CONDITIONING,
    SCALES,
    axis_order,
    axis_scores,
    family,
    gate,
    overall,
)

Values = Mapping[str, float]
Progress = Callable[[str], None]
CONFIDENCE = 1.96


@dataclass(frozen=True)
class Anchors:
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
        full: Anchors at N samples.
        halves: Anchors at N/2, one for each half-sample of the reference.
        ladder: (damage, amount in words, strength, values) of every rung, at N.
    """

    full: Anchors
    halves: tuple[Anchors, ...]
    ladder: tuple[tuple[str, str, float, Values], ...]

    @classmethod
    def from_dict(cls, values: Any) -> "Calibration":
        """The inverse of `asdict`; of anything else a LookupError, TypeError or ValueError."""
        return cls(
            Anchors(**values["full"]),
            tuple(Anchors(**half) for half in values["halves"]),
            tuple((damage, words, share, v) for damage, words, share, v in values["ladder"]),
        )


def half_samples(count: int, resamples: int, *key: int) -> list[np.ndarray]:
    """Sorted rows of `resamples` halves of `count` rows, drawn without replacement."""
    random = np.random.default_rng(key)
    return [np.sort(random.permutation(count)[: count // 2]) for _ in range(resamples)]


def compute_values(measures: Sequence[Measure], comparison: Comparison) -> dict[str, float]:
    """The numbers of all measures that can be had for a comparison."""
    values: dict[str, float] = {}
    for item in measures:
        if not item.missing(comparison):
            values.update(item.apply(comparison).values)
    return values


def standard_error(halves: Sequence[Values], key: str) -> float:
    """Standard deviation of a number over half-samples; 0 for fewer than two."""
    values = [half[key] for half in halves if key in half]
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


class Calibrator:
    """Measures what is known, in the same way as the samples are measured.

    Args:
        real: The real data.
        measures: What the card holds.
        resamples: Half-samples for the intervals.
    """

    def __init__(self, real: RealSide, measures: Sequence[Measure], resamples: int) -> None:
        self.real = real
        self.measures = measures
        self.quick = [item for item in measures if item.resampled]
        seed, count = real.setting.seed, len(real.reference)
        self.reference_halves = [
            real.reference.take(rows) for rows in half_samples(count, resamples, seed, 0)
        ]
        self.judged_halves = half_samples(len(real.held_out), resamples, seed, 1)

    def values(self, judged: SampleSet, measures: Sequence[Measure]) -> dict[str, float]:
        """Numbers of a set at N samples."""
        return compute_values(measures, Comparison(judged, self.real.reference, self.real.setting))

    def halves(self, judged: SampleSet, measures: Sequence[Measure]) -> list[dict[str, float]]:
        """Numbers of half-samples of a set, each against a half-sample of the reference."""
        pairs = zip(self.judged_halves, self.reference_halves, strict=True)
        return [self._half(judged, mine, theirs, measures) for mine, theirs in pairs]

    def calibrate(self, *, ladder: bool, progress: Progress) -> Calibration:
        """Measure held-out data, floors and, if wanted, the ladder."""
        progress("measuring held-out real data")
        ceiling = self.values(self.real.held_out, self.measures)
        halves = self.halves(self.real.held_out, self.quick)
        progress("measuring the floors of each axis")
        floor, half_floor = self._floors(ceiling)
        return Calibration(
            Anchors(ceiling, floor),
            tuple(Anchors(half, half_floor) for half in halves),
            tuple(self._ladder(ceiling, progress)) if ladder else (),
        )

    def _half(
        self, judged: SampleSet, mine: np.ndarray, theirs: SampleSet, measures: Sequence[Measure]
    ) -> dict[str, float]:
        return compute_values(measures, Comparison(judged.take(mine), theirs, self.real.setting))

    def _floors(self, ceiling: Values) -> tuple[dict[str, float], dict[str, float]]:
        """The floor of every scored number, at N and at N/2 samples."""
        full: dict[str, float] = {}
        half: dict[str, float] = {}
        for axis, makers in FLOORS.items():
            members = [item for item in self.measures if _counts_for(item, axis)]
            if not members:
                continue
            sets = [make(self.real) for make in makers]
            values = [self.values(each, members) for each in sets]
            full |= _farthest(values, ceiling, _keys_on(axis, values[0], members))
            if self.judged_halves:
                pair = self.judged_halves[0], self.reference_halves[0]
                quick = [item for item in members if item.resampled]
                values = [self._half(each, *pair, quick) for each in sets]
                half |= _farthest(values, ceiling, _keys_on(axis, values[0], members))
        return full, half

    def _ladder(self, ceiling: Values, progress: Progress) -> list[tuple[str, str, float, Values]]:
        """Every rung; what a damage cannot touch is as of held-out data, or is left out."""
        scored = [item for item in self.quick if any(output.axis for output in item.outputs)]
        rungs: dict[str, tuple[str, str, float, Values]] = {}
        for damage in LADDER:
            meant, untouched = _concerned(damage, scored)
            if not meant:
                continue
            progress(f"measuring known damages: {damage.name}")
            known = {k: v for k, v in ceiling.items() if output_of(self.measures, k) in untouched}
            for strength in damage.strengths:
                words = damage.words(self.real, strength)
                if words not in rungs:
                    values = known | self.values(damage.make(self.real, strength), meant)
                    rungs[words] = (damage.name, words, strength, values)
        return list(rungs.values())


def _concerned(
    damage: KnownDamage, scored: Sequence[Measure]
) -> tuple[list[Measure], list[Output]]:
    """The measures that a damage is measured by, and the outputs that it leaves as they are."""
    if damage.labels_only:
        meant = [item for item in scored if _counts_for(item, CONDITIONING)]
        rest = [output for item in scored if item not in meant for output in item.outputs]
        return meant, rest
    if damage.fills_up:
        return [item for item in scored if not _counts_for(item, AUTHENTICITY)], []
    return list(scored), []


def _farthest(values: Sequence[Values], ceiling: Values, keys: Sequence[str]) -> dict[str, float]:
    """Of several floors the value that lies farthest from real data, for each key that all have."""
    return {
        key: max((v[key] for v in values), key=lambda x: abs(x - ceiling[key]))
        for key in keys
        if all(key in v for v in (ceiling, *values))
    }


def _keys_on(axis: str, values: Values, measures: Sequence[Measure]) -> list[str]:
    return [key for key in values if family(output_of(measures, key).axis) == axis]


def _counts_for(item: Measure, axis: str) -> bool:
    return any(family(output.axis) == axis for output in item.outputs)


def output_of(measures: Sequence[Measure], key: str) -> Output:
    """The output that a key belongs to, whichever measure gives it."""
    return next(found for item in measures if (found := item.output(key)) is not None)


def axis_of(output: Output, key: str) -> str:
    """The axis a number counts for: label levels have axes of their own, `axis/level`."""
    level = key.partition("/")[2]
    return (
        f"{output.axis}/{level}" if output.axis and output.axis_per_level and level else output.axis
    )


def scores_of(values: Values, anchors: Anchors, measures: Sequence[Measure]) -> dict[str, float]:
    """Score by measure, for every number that counts for an axis and has both anchors."""
    scores = {}
    for key, value in values.items():
        output = output_of(measures, key)
        if output.axis and key in anchors.floor and key in anchors.ceiling:
            scores[key] = SCALES[output.scale](value, anchors.ceiling[key], anchors.floor[key])
    return scores


def axes_of(scores: Mapping[str, float], measures: Sequence[Measure]) -> dict[str, float]:
    """Score by axis."""
    return axis_scores(
        (axis_of(output_of(measures, key), key), score) for key, score in scores.items()
    )


@dataclass(frozen=True)
class Scores:
    """What a calibrated card adds to its entries."""

    entries: dict[str, Entry]
    axes: dict[str, Axis]
    overall: float
    interval: tuple[float, float] | None
    gate: float | None
    ladder: tuple[Rung, ...]


def score(
    entries: Mapping[str, Entry],
    halves: Sequence[Values],
    calibration: Calibration,
    measures: Sequence[Measure],
    without: frozenset[str] = frozenset(),
) -> Scores:
    """Put numbers on the scale of their reference.

    Args:
        entries: The numbers at N samples.
        halves: The numbers of half-samples, paired with `calibration.halves`.
        calibration: The scale.
        measures: What gave the numbers.
        without: Axes that the judge is too weak for: their measures get no score.
    """
    full = calibration.full
    judged = {key: entry.value for key, entry in entries.items() if entry.axis not in without}
    scores = scores_of(judged, full, measures)
    axes = axes_of(scores, measures)
    half_axes = [
        _only(axes_of(scores_of(half, anchors, measures), measures), axes)
        for half, anchors in zip(halves, calibration.halves, strict=True)
    ]
    rungs = _rungs(calibration, measures, axes)
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
                reading(axis, axes[axis], rungs),
            )
            for axis in sorted(axes, key=axis_order)
        },
        overall=total,
        interval=_unit_interval(total, totals, "overall"),
        gate=gate(axes),
        ladder=rungs,
    )


def _only(axes: Values, wanted: Iterable[str]) -> dict[str, float]:
    return {axis: value for axis, value in axes.items() if axis in wanted}


def _rungs(
    calibration: Calibration, measures: Sequence[Measure], judged: Iterable[str]
) -> tuple[Rung, ...]:
    """The ladder in scores, on the axes of conditioning that were judged and all others."""
    rungs = []
    for damage, words, strength, values in calibration.ladder:
        scores = axes_of(scores_of(values, calibration.full, measures), measures)
        wanted = [axis for axis in scores if family(axis) != CONDITIONING or axis in judged]
        axes = _only(scores, wanted)
        rungs.append(Rung(damage, words, strength, axes, overall(axes), dict(values)))
    return tuple(rungs)


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


def reading(axis: str, value: float, rungs: Sequence[Rung]) -> str:
    """A score in terms of the ladder: "like real data with 3 of 10 classes missing".

    The nearest rung of the damage that reads the axis; held-out real data are the topmost.
    """
    names = [damage.name for damage in LADDER if family(axis) in damage.reads]
    steps = {
        f"real data with {rung.amount}": rung.axes[axis]
        for rung in rungs
        if rung.damage in names and axis in rung.axes
    }
    if not steps:
        return ""
    steps["held-out real data"] = 1.0
    nearest = min(steps, key=lambda words: abs(steps[words] - value))
    worst = min(steps, key=lambda words: steps[words])
    if nearest == worst and value < steps[worst]:
        return f"worse than {worst}"
    return f"like {nearest}"
