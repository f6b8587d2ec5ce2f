"""How long trainings take until a measure is as good as a threshold, from what was measured at
marks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mtgan.studies.collect import StudyResult
from mtgan.studies.measures import Measure
from mtgan.studies.statistics import LEAST_FOR_INTERVALS, RESAMPLES

_TIME = "scaled_seconds"  # a measure, where marks are of seconds


@dataclass(frozen=True)
class TimeToThreshold:
    """Median over seeds, infinite where half of them never came so far; its 95 % bootstrap
    interval, None with too few seeds. reached: by how many of the seeds."""

    measure: str
    label: str
    threshold: float
    median: float
    interval: tuple[float, float] | None
    reached: int
    seeds: int


def times_to_thresholds(result: StudyResult) -> list[TimeToThreshold]:
    """Of every measure with thresholds, and every recipe, variant and data set; in the unit of the
    marks. Empty for a study without thresholds."""
    found = []
    for name, thresholds in result.study.thresholds.items():
        measure = next(one for one in result.study.measures if one.name == name)
        for label, curves in _curves(result, measure).items():
            for threshold in thresholds:
                lower = result.better(measure) != "higher"
                times = np.array([first_reached(one, threshold, lower) for one in curves])
                found.append(_summary(name, label, threshold, times))
    return found


def _curves(result: StudyResult, measure: Measure) -> dict[str, list[list[tuple[float, float]]]]:
    """(time, value) at each mark of every seed, by the label of cells without their marks."""
    found: dict[str, dict[int, list[tuple[float, float]]]] = {}
    for cell in result.plan["cells"]:
        if cell["mark"] is None:
            continue
        times = result.values(cell["label"], _TIME)
        for seed, value in result.values(cell["label"], measure.name).items():
            point = (times.get(seed, cell["mark"]), value)
            found.setdefault(result.without_mark(cell), {}).setdefault(seed, []).append(point)
    return {label: [*seeds.values()] for label, seeds in found.items()}


def first_reached(
    points: Sequence[tuple[float, float]], threshold: float, lower: bool = True
) -> float:
    """When a value is first as good as the threshold: between two marks on the line through them
    over the logarithm of time; infinite where it never is.

    points: (time, value). lower: whether lower values are better.
    """
    sign = 1.0 if lower else -1.0
    at = sorted((time, sign * value) for time, value in points)
    goal = sign * threshold
    if at and at[0][1] <= goal:
        return at[0][0]
    for (before, worse), (after, better) in pairwise(at):
        if better <= goal:
            share = (worse - goal) / (worse - better)
            return float(before * (after / before) ** share)
    return math.inf


def _summary(measure: str, label: str, threshold: float, times: np.ndarray) -> TimeToThreshold:
    interval = None
    if len(times) >= LEAST_FOR_INTERVALS:
        draws = np.random.default_rng(0).integers(len(times), size=(RESAMPLES, len(times)))
        medians = np.median(times[draws], axis=1)
        # Without interpolation, which between finite and infinite is neither.
        low, high = np.quantile(medians, (0.025, 0.975), method="inverted_cdf")
        interval = (float(low), float(high))
    reached = int(np.isfinite(times).sum())
    middle = float(np.median(times))
    return TimeToThreshold(measure, label, threshold, middle, interval, reached, len(times))
