"""What curves do over training: they turn before the end, reach a value sooner, go together."""

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field
from scipy.stats import spearmanr

from mtgan.reproduction.rules import RULES, Contrast, Finding, of_contrasts
from mtgan.reproduction.schema import Asks, Name
from mtgan.studies.curves import Line
from mtgan.studies.measures import Over
from mtgan.studies.statistics import LEAST_FOR_TESTS

if TYPE_CHECKING:
    from mtgan.reproduction.material import Material

_TAIL = 0.1  # of a training's points are its end
_FEWEST = 4  # points of a curve of which something is said


class TurnOptions(Asks):
    """value: a logged one, of arms whose curves fall, and rise again before the end."""

    value: Name
    arms_: Annotated[list[Name], Field(min_length=1, alias="arms")]

    def logged(self) -> list[tuple[str, str | None]]:
        return [(self.value, None)]

    def arms(self) -> list[str]:
        return self.arms_


class Turn:
    """Whether a curve has its minimum before its end.

    Of each run, its last tenth against its value at the place where the mean of the *other* runs is
    lowest before that tenth: a run's own minimum lies below its end whatever it does.
    """

    options = TurnOptions
    least = LEAST_FOR_TESTS

    def judge(self, options: TurnOptions, material: "Material") -> Finding:
        contrasts = []
        for arm in options.arms():
            line = material.line(options.value, arm)
            ends, lows = end_and_low(line) if line is not None else (np.array([]), np.array([]))
            contrasts.append(Contrast(f"{options.value} of {arm}, end against low", ends, lows))
        return of_contrasts(contrasts, "higher")


def end_and_low(line: Line) -> tuple[np.ndarray, np.ndarray]:
    """By run, the mean of the end and the value at the others' lowest place [R], [R]; empty where
    curves have too few points or there are no others."""
    runs = np.stack([*line.runs.values()])
    whole = np.isfinite(runs).all(0)
    runs = runs[:, whole]
    count = runs.shape[1]
    if count < _FEWEST or len(runs) < 2:
        return np.array([]), np.array([])
    before = count - max(1, round(_TAIL * count))
    means = (runs.sum(0) - runs) / (len(runs) - 1)
    places = means[:, :before].argmin(1)
    return runs[:, before:].mean(1), runs[np.arange(len(runs)), places]


class SoonerOptions(Asks):
    """first, second: arms, of which the first is claimed to reach a logged value sooner; over: by
    what time is told; better: which way the value gets better."""

    value: Name
    first: Name
    second: Name
    over: Over
    better: Literal["higher", "lower"]

    def logged(self) -> list[tuple[str, str | None]]:
        return [(self.value, self.over)]

    def arms(self) -> list[str]:
        return [self.first, self.second]


class Sooner:
    """Whether one arm is sooner as good as another: for each seed, when the runs of both first
    reach the best value of the one that gets less far."""

    options = SoonerOptions
    least = LEAST_FOR_TESTS

    def judge(self, options: SoonerOptions, material: "Material") -> Finding:
        lines = [material.line(options.value, arm, options.over) for arm in options.arms()]
        found = np.empty((0, 2))
        if lines[0] is not None and lines[1] is not None:
            found = times_to_the_same(lines[0], lines[1], 1 if options.better == "higher" else -1)
        name = f"{options.over} until the same {options.value}, {options.first} against "
        contrast = Contrast(f"{name}{options.second}", found[:, 0], found[:, 1])
        return of_contrasts([contrast], "lower")


def times_to_the_same(first: Line, second: Line, sign: int) -> np.ndarray:
    """By run that both lines have [R, 2], when each is first as good as the best of the one that
    gets less far, between two points on a straight line. sign: 1 where higher is better, else
    -1."""
    found = []
    for seed in first.runs.keys() & second.runs.keys():
        curves = []
        for line in (first, second):
            there = np.isfinite(line.runs[seed])
            best_so_far = np.maximum.accumulate(sign * line.runs[seed][there])
            curves.append((line.x[there], best_so_far))
        if min(len(x) for x, _ in curves) < _FEWEST:
            continue
        level = min(best[-1] for _, best in curves)
        found.append([_reached(x, best, level) for x, best in curves])
    return np.array(found).reshape(-1, 2)


def _reached(x: np.ndarray, rising: np.ndarray, level: float) -> float:
    """Where values that never fall first come to a level."""
    after = int(np.searchsorted(rising, level))
    if after == 0:
        return float(x[0])
    share = (level - rising[after - 1]) / (rising[after] - rising[after - 1])
    return float(x[after - 1] + share * (x[after] - x[after - 1]))


class CorrelationOptions(Asks):
    """values: two logged ones; above: what their rank correlation within a run is claimed to
    exceed."""

    values: tuple[Name, Name]
    arms_: Annotated[list[Name], Field(min_length=1, alias="arms")]
    above: Annotated[float, Field(gt=-1, lt=1)]
    direction: Literal["higher", "lower"] = "higher"

    def logged(self) -> list[tuple[str, str | None]]:
        return [(value, None) for value in self.values]

    def arms(self) -> list[str]:
        return self.arms_


class Correlation:
    """Spearman's correlation of two curves of a run, at the points of the one that has fewer."""

    options = CorrelationOptions
    least = LEAST_FOR_TESTS

    def judge(self, options: CorrelationOptions, material: "Material") -> Finding:
        contrasts = []
        for arm in options.arms():
            lines = [material.line(value, arm) for value in options.values]
            found = np.array([])
            if lines[0] is not None and lines[1] is not None:
                found = rank_correlations(lines[0], lines[1])
            name = f"correlation of {' and '.join(options.values)} of {arm}"
            name = f"{name}, against {options.above:g}"
            contrasts.append(Contrast(name, found, np.full(len(found), options.above)))
        return of_contrasts(contrasts, options.direction)


def rank_correlations(first: Line, second: Line) -> np.ndarray:
    """By run that both lines have [R]; without those with too few points, or a constant curve. The
    line with more points is read between them, at the other's."""
    few, many = sorted((first, second), key=lambda line: len(line.x))
    found = []
    for seed in few.runs.keys() & many.runs.keys():
        there = np.isfinite(few.runs[seed])
        known = np.isfinite(many.runs[seed])
        if min(there.sum(), known.sum()) < _FEWEST:
            continue
        x, ours = few.x[there], few.runs[seed][there]
        theirs = np.interp(x, many.x[known], many.runs[seed][known])
        if np.ptp(ours) > 0 and np.ptp(theirs) > 0:
            found.append(float(spearmanr(ours, theirs).statistic))
    return np.array(found)


RULES.register("turn")(Turn())
RULES.register("sooner")(Sooner())
RULES.register("correlation")(Correlation())
