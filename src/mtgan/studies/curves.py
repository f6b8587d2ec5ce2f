"""Values over a training, run by run: what the page draws, and curves.csv and curves.json hold.

P: points of a line.
"""

import csv
import io
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean
from typing import Any

import numpy as np

from mtgan.errors import UserError
from mtgan.files import write_json, write_text
from mtgan.registry import nearest
from mtgan.studies.collect import StudyResult
from mtgan.studies.jobs import run_of
from mtgan.studies.kinds import KINDS
from mtgan.studies.measures import Curve
from mtgan.studies.schema import Study
from mtgan.studies.statistics import student_half_width

Log = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Line:
    """One value of several runs.

    Attributes:
        x: [P], rising.
        runs: By seed the value at each x [P]; NaN where there is none.
    """

    x: np.ndarray
    runs: dict[int, np.ndarray]

    @classmethod
    def of(
        cls, values: Mapping[int, Mapping[float, float]], x: Mapping[float, float] | None = None
    ) -> "Line":
        """Of values by seed and place, which lie at x, by place (the places themselves if None)."""
        places = sorted({place for column in values.values() for place in column})
        columns = {
            seed: np.array([column.get(place, math.nan) for place in places], float)
            for seed, column in values.items()
        }
        at = np.array([place if x is None else x[place] for place in places], float)
        order = np.argsort(at, kind="stable")
        return cls(at[order], {seed: column[order] for seed, column in columns.items()})

    def smoothed(self, window: int) -> "Line":
        """With the moving average of each run in the place of its values."""
        return Line(
            self.x, {seed: moving_average(column, window) for seed, column in self.runs.items()}
        )

    @cached_property
    def mean(self) -> np.ndarray:
        """Over the runs that have a value there [P]; NaN where none has."""
        return np.array([column.mean() if len(column) else math.nan for column in self._there])

    @cached_property
    def half_width(self) -> np.ndarray:
        """Of the mean's 95 % interval (Student's t) [P]; NaN where fewer than two runs are."""
        return np.array([student_half_width(column) for column in self._there])

    @property
    def _there(self) -> list[np.ndarray]:
        every = np.stack([*self.runs.values()])
        return [column[np.isfinite(column)] for column in every.T]


def moving_average(values: np.ndarray, window: int) -> np.ndarray:
    """The mean of `window` neighboring values [P], the place itself in their middle (an even window
    looks one further ahead); of fewer at the ends. NaN are left out, and are where all are NaN."""
    there = np.isfinite(values)
    middle = slice(window // 2, window // 2 + len(values))
    sums, counts = (
        np.convolve(part, np.ones(window))[middle] for part in (np.where(there, values, 0.0), there)
    )
    return np.divide(sums, counts, out=np.full(len(values), math.nan), where=counts > 0.5)


@dataclass(frozen=True)
class CurveSet:
    """One value over training in one chart.

    Attributes:
        name: Of the value.
        over: What x is: iterations, epochs or seconds.
        where: What the chart's cells have in common beside others; "" where there is one chart.
        lines: By cell.
        levels: Runs of cells that have no x, by cell.
        smooth: Points of the moving average that is drawn over the values.
        evaluated: Whether evaluations during training have logged the values.
        at_marks: Whether the values are measures at the study's marks, and not logged ones.
        unfinished: By cell, how many of its runs are not finished, or failed.
    """

    name: str
    over: str
    where: str
    lines: dict[str, Line]
    levels: dict[str, list[float]] = field(default_factory=dict)
    smooth: int = 1
    evaluated: bool = False
    at_marks: bool = False
    unfinished: dict[str, int] = field(default_factory=dict)


def curve_sets(result: StudyResult) -> tuple[list[CurveSet], list[str]]:
    """All that a study draws over training, and sentences about what cannot be drawn.

    Raises UserError where a curve is of a value that no run can log any more.
    """
    found, notes = _at_marks(result), list[str]()
    if all(result.finished_of(label) for label in result.labels):
        refuse_unknown_curves(result.study, logged_names(result))
    for curve in result.study.curves:
        sets = _of_logs(result, curve)
        found += sets
        notes += _absent(result, curve, sets)
    return found, notes


def refuse_unknown_curves(study: Study, logged: Collection[str]) -> None:
    """UserError that names the nearest where a curve is of none of the logged values."""
    unknown = next((curve.name for curve in study.curves if curve.name not in logged), None)
    if unknown is not None:
        raise UserError(
            f"Study {study.name}: curves names {unknown!r}, and no run logs it: "
            f"{nearest(unknown, list(logged))}"
        )


def logged_names(result: StudyResult, kind: str = "") -> set[str]:
    """Names of all values that any run has logged so far, in lines of one kind or any."""
    return {
        name
        for lines in result.logs.values()
        for line in lines
        if line["kind"] == kind or not kind
        for name in line["values"]
    }


def _of_logs(result: StudyResult, curve: Curve) -> list[CurveSet]:
    """A logged value, a set for each group of cells that is compared in one chart."""
    found = []
    for where, labels in _side_by_side(result).items():
        lines: dict[str, Line] = {}
        unfinished: dict[str, int] = {}
        for label in labels:
            runs = result.runs_of(label)
            logs = {seed: result.logs[run] for seed, run in runs.items() if result.logs.get(run)}
            line = _line(logs, curve.name, _over(result, curve, label))
            if line is not None:
                lines[label] = line
                begun = line.runs.keys() - result.finished_of(label).keys()
                unfinished |= {label: len(begun)} if begun else {}
        if lines:
            over, _ = _over(result, curve, next(iter(lines)))
            one = CurveSet(
                *(curve.name, over, where, lines),
                smooth=curve.smooth,
                evaluated=curve.name in logged_names(result, "evaluation"),
                unfinished=unfinished,
            )
            found.append(one)
    return found


def _over(result: StudyResult, curve: Curve, label: str) -> tuple[str, str]:
    """What x is, and the key of a line of a cell's log that says it."""
    kind = KINDS.get(result.kind_of(label))
    wanted = curve.over or result.study.curves_over
    over = kind.unit if wanted == "training" else str(wanted)
    return over, {"epochs": "epoch", kind.unit: "step"}.get(over, over)


def _line(logs: Mapping[int, Log], name: str, over: tuple[str, str]) -> Line | None:
    """What runs have logged under a name; None where there is nothing.

    over: what x is, and the key of a line that says it. Seconds are not the same in two runs: there
    a point is a step that most of the runs have logged, at the mean of their seconds.
    """
    values: dict[int, dict[float, float]] = {}
    places: dict[float, list[float]] = {}
    for seed, lines in logs.items():
        for line in lines:
            if name in line["values"] and line.get(over[1]) is not None:
                values.setdefault(seed, {})[line["step"]] = line["values"][name]
                places.setdefault(line["step"], []).append(line[over[1]])
    if not values:
        return None
    if over[0] == "seconds":
        most = max(map(len, places.values()))
        places = {step: column for step, column in places.items() if len(column) == most}
        values = {
            seed: {step: value for step, value in column.items() if step in places}
            for seed, column in values.items()
        }
    return Line.of(values, {step: fmean(column) for step, column in places.items()})


def _absent(result: StudyResult, curve: Curve, sets: Sequence[CurveSet]) -> list[str]:
    """A sentence about cells that are not in the charts of a curve."""
    drawn = {label for one in sets for label in one.lines}
    cells = [cell["label"] for cell in result.last_cells if result.finished_of(cell["label"])]
    missing = [label for label in cells if label not in drawn]
    over = "" if curve.over is None else f" over {curve.over}"
    if not drawn:
        return [f"The curve of {curve.title}{over} is not drawn: no run has logged it yet."]
    if not missing:
        return []
    labels = ", ".join(missing)
    return [f"The curve of {curve.title}{over} is without {labels}: no run there has logged it."]


def _side_by_side(result: StudyResult) -> dict[str, list[str]]:
    """Which cells one chart compares: all of them; but where recipes vary and variants or data as
    well, those of one variant and data set, by their labels."""
    cells = result.last_cells
    places = dict.fromkeys((cell["variant"], cell["data"]) for cell in cells)
    if len(places) < 2 or len({cell["recipe"] for cell in cells}) < 2:
        return {"": [cell["label"] for cell in cells]}
    several = [len(set(column)) > 1 for column in zip(*places, strict=True)]
    found: dict[str, list[str]] = {}
    for cell in cells:
        parts = zip((cell["variant"], cell["data"]), several, strict=True)
        where = " / ".join(part for part, varies in parts if varies)
        found.setdefault(where, []).append(cell["label"])
    return found


def _at_marks(result: StudyResult) -> list[CurveSet]:
    """Each measure over the marks of the study."""
    marks = result.study.marks
    found = []
    for measure in result.study.measures if marks else []:
        points: dict[str, dict[int, dict[float, float]]] = {}
        levels: dict[str, list[float]] = {}
        for cell in result.plan["cells"]:
            values = result.values(cell["label"], measure.name)
            if values and cell["mark"] is None:
                levels[cell["label"]] = [*values.values()]
            for seed, value in values.items() if cell["mark"] is not None else ():
                label = result.without_mark(cell)
                points.setdefault(label, {}).setdefault(seed, {})[cell["mark"]] = value
        lines = {label: Line.of(columns) for label, columns in points.items()}
        if lines and marks:
            found.append(CurveSet(measure.name, marks.unit, "", lines, levels, at_marks=True))
    return found


# Files


def write_curves(result: StudyResult, sets: Sequence[CurveSet]) -> None:
    """curves.csv, a row per run and point, and curves.json, with means and their intervals, in the
    study's folder; nothing where a study draws none."""
    if sets:
        write_text(result.path / "curves.csv", _as_csv(result, sets))
        write_json(result.path / "curves.json", {"curves": [_as_values(one) for one in sets]})


_COLUMNS = ("study", "scale", "cell", "curve", "over", "seed", "run", "x", "value", "smoothed")


def _as_csv(result: StudyResult, sets: Sequence[CurveSet]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    study = result.study
    for one in sets:
        for label, line in one.lines.items():
            runs = {} if one.at_marks else result.runs_of(label)
            smoothed = line.smoothed(one.smooth)
            for seed, column in line.runs.items():
                run = run_of(runs.get(seed, ""))
                first = (study.name, study.scale, label, one.name, one.over, seed, run)
                for point in zip(line.x, column, smoothed.runs[seed], strict=True):
                    if math.isfinite(point[1]):
                        table.writerow((*first, *(f"{number:.10g}" for number in point)))
    return text.getvalue()


def _as_values(one: CurveSet) -> dict[str, Any]:
    return {
        "name": one.name,
        "over": one.over,
        "where": one.where,
        "measured": "at marks" if one.at_marks else "logged",
        "smooth": one.smooth,
        "cells": {label: _line_values(line, one.smooth) for label, line in one.lines.items()},
    }


def _line_values(line: Line, smooth: int) -> dict[str, Any]:
    """The interval is that of the smoothed mean, as it is drawn."""
    drawn = line.smoothed(smooth)
    return {
        "x": line.x.tolist(),
        "runs": {str(seed): _finite(column) for seed, column in line.runs.items()},
        "mean": _finite(line.mean),
        "smoothed": _finite(drawn.mean),
        "low": _finite(drawn.mean - drawn.half_width),
        "high": _finite(drawn.mean + drawn.half_width),
    }


def _finite(column: np.ndarray) -> list[float | None]:
    return [float(value) if math.isfinite(value) else None for value in column]
