"""The pictures of a study: a measure by cell, a measure over a number, a value over training.

R: runs.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtgan.reports.charts import svg_uri
from mtgan.studies.statistics import student_half_width

_GRAY, _DOT, _MEAN = "#888888", "#3b82c4", "#d9733a"
_COLORS = ("#3b82c4", "#d9733a", "#4a9a5b", "#a05ab5", "#b8972e", "#c14d62", "#4aa3a8", "#7a7a7a")
_MANY_TIMES = 100  # between the ends of a logarithmic axis
Runs = Mapping[float, Sequence[float]]
"""Values of the runs [R] by x."""


def dot_chart(
    values: Mapping[str, Sequence[float]],
    intervals: Mapping[str, tuple[float, float] | None],
    xlabel: str,
) -> str:
    """Every run as a dot, a row per cell from the top, as an SVG data URI.

    values: runs by cell. intervals: of the mean; drawn as a bar where there is one. A bar at the
    mean in any case.
    """
    with _axes(0.9 + 0.32 * len(values)) as (figure, axes):
        for row, (label, runs) in enumerate(values.items()):
            mean = sum(runs) / len(runs)
            if interval := intervals.get(label):
                axes.plot(interval, (row, row), color=_MEAN, linewidth=5, alpha=0.35)
            axes.plot(runs, [row] * len(runs), "o", color=_DOT, markersize=4, alpha=0.8)
            axes.plot(mean, row, "|", color=_MEAN, markersize=13, markeredgewidth=2)
        axes.set_yticks(range(len(values)), list(values), fontsize=9)
        axes.set_ylim(len(values) - 0.5, -0.5)
        axes.set_xlabel(xlabel)
        axes.grid(axis="x", color=_GRAY, alpha=0.25, linewidth=0.5)
        return svg_uri(figure)


def curve_chart(lines: Mapping[str, Runs], xlabel: str, ylabel: str) -> str:
    """The mean over runs at each x, a line per label, in a band of its 95 % interval (Student's t)
    where there are two runs, as an SVG data URI."""
    with _axes(3.0) as (figure, axes):
        handles: dict[str, Any] = {}
        for (label, runs), color in zip(lines.items(), cycle(_COLORS), strict=False):
            x, mean, half = _intervals(runs)
            [handles[label]] = axes.plot(x, mean, color=color, linewidth=1.3)
            axes.fill_between(x, mean - half, mean + half, color=color, alpha=0.15, linewidth=0)
        _finish(axes, handles, xlabel, ylabel)
        return svg_uri(figure)


def axis_chart(
    lines: Mapping[str, Runs],
    levels: Mapping[str, Sequence[float]],
    xlabel: str,
    ylabel: str,
    logarithmic: bool = False,
) -> str:
    """A measure over a number that the study varies, with the 95 % interval of each mean
    (Student's t), as an SVG data URI.

    lines: by label. levels: runs of cells that have no such number, drawn across as their mean.
    logarithmic: the axis of the number, also where its ends lie near each other.
    """
    with _axes(3.0) as (figure, axes):
        colors = cycle(_COLORS)
        handles: dict[str, Any] = {}
        for label, runs in lines.items():
            x, mean, half = _intervals(runs)
            handles[label] = axes.errorbar(
                x, mean, half, color=next(colors), marker="o", markersize=4, capsize=3
            )
        for label, values in levels.items():
            level = float(np.mean(values))
            handles[label] = axes.axhline(level, color=next(colors), linestyle="--")
        numbers = [x for runs in lines.values() for x in runs]
        if logarithmic or (min(numbers) > 0 and max(numbers) >= _MANY_TIMES * min(numbers)):
            axes.set_xscale("log")
        _finish(axes, handles, xlabel, ylabel)
        return svg_uri(figure)


def _intervals(runs: Runs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x in order, and mean and half an interval of the runs there (0 for a single run)."""
    x = np.array(sorted(runs))
    mean = np.array([np.mean(runs[at]) for at in x])
    half = np.array([student_half_width(np.array(runs[at])) for at in x])
    return x, mean, np.nan_to_num(half)


def _finish(axes: Axes, handles: Mapping[str, Any], xlabel: str, ylabel: str) -> None:
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(color=_GRAY, alpha=0.25, linewidth=0.5)
    axes.legend(
        [*handles.values()], [*handles], frameon=False, labelcolor=_GRAY, fontsize=8, ncols=2
    )


@contextmanager
def _axes(height: float) -> Iterator[tuple[Figure, Axes]]:
    """One plot of this height in inches, in gray that reads well on light and dark pages."""
    with matplotlib.rc_context(
        {"svg.fonttype": "none", "font.size": 9, "text.color": _GRAY, "axes.labelcolor": _GRAY}
    ):
        figure = Figure(figsize=(7.2, height), layout="constrained")
        axes = figure.add_subplot()
        axes.tick_params(colors=_GRAY)
        for side, spine in axes.spines.items():
            spine.set_color(_GRAY)
            spine.set_visible(side in {"left", "bottom"})
        yield figure, axes
