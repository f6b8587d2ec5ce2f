"""The pictures of a study: a measure by cell, a measure over a number, a value over training."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle
from types import MappingProxyType
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from mtgan.reports.charts import svg_uri
from mtgan.studies.curves import Line

_GRAY, _DOT, _MEAN = "#888888", "#3b82c4", "#d9733a"
_COLORS = ("#3b82c4", "#d9733a", "#4a9a5b", "#a05ab5", "#b8972e", "#c14d62", "#4aa3a8", "#7a7a7a")
_MANY_TIMES = 100  # between the ends of a logarithmic axis
_WIDE = 30  # what a value falls or rises by before it is drawn over a logarithmic axis
_FEW_POINTS = 8  # each can have its number below the axis
_NOTHING: Mapping[str, Sequence[float]] = MappingProxyType({})


def _plain_numbers(axes: Axes, x: np.ndarray) -> None:
    """Numbers, no powers of ten, along a logarithmic axis: the points, where they are few."""
    if len(x) <= _FEW_POINTS:
        axes.set_xticks(x)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _spread(axes: Axes, lines: Iterable[Line]) -> None:
    """A logarithmic y where the values before training would press all others into one line."""
    values = np.concatenate([line.mean[np.isfinite(line.mean)] for line in lines])
    if len(values) and min(values) > 0 and max(values) > _WIDE * min(values):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())


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


@contextmanager
def line_figure(
    lines: Mapping[str, Line],
    xlabel: str,
    ylabel: str,
    *,
    smooth: int = 1,
    levels: Mapping[str, Sequence[float]] = _NOTHING,
    points: bool = False,
    logarithmic: bool = False,
) -> Iterator[Figure]:
    """The mean over runs, a line per label, in its 95 % interval (Student's t) where there are two
    runs: a band, or of points a bar at each.

    smooth: points of the moving average of each run that is drawn; the mean of the values
    themselves is then a faint line. levels: runs without x, drawn across as their mean.
    logarithmic: the axis of x, also where its ends lie near each other. That of y is where positive
    values differ by a factor above 30. While it is open, the figure is saved as it should look.
    """
    with _axes(3.0) as (figure, axes):
        draw_lines(
            *(axes, lines, xlabel, ylabel),
            smooth=smooth,
            levels=levels,
            points=points,
            logarithmic=logarithmic,
        )
        yield figure


def draw_lines(
    axes: Axes,
    lines: Mapping[str, Line],
    xlabel: str,
    ylabel: str,
    *,
    smooth: int = 1,
    levels: Mapping[str, Sequence[float]] = _NOTHING,
    points: bool = False,
    logarithmic: bool = False,
) -> None:
    """As `line_figure`, into axes that are there."""
    colors = cycle(_COLORS)
    handles: dict[str, Any] = {}
    for label, line in lines.items():
        handles[label] = _draw(axes, line, smooth, points, next(colors))
    for label, values in levels.items():
        level = float(np.mean(values))
        handles[label] = axes.axhline(level, color=next(colors), linestyle="--")
    x = np.concatenate([line.x for line in lines.values()])
    if logarithmic or (points and min(x) > 0 and max(x) >= _MANY_TIMES * min(x)):
        axes.set_xscale("log")
        _plain_numbers(axes, np.unique(x))
    _spread(axes, lines.values())
    _finish(axes, handles, xlabel, ylabel)


def _draw(axes: Axes, line: Line, smooth: int, points: bool, color: str) -> Any:
    """One line; returns what stands for it in the legend."""
    drawn = line.smoothed(smooth)
    mean, half = drawn.mean, np.nan_to_num(drawn.half_width)
    if points:
        return axes.errorbar(
            line.x, mean, half, color=color, marker="o", markersize=4, capsize=3, linewidth=1.3
        )
    there = np.isfinite(mean)
    x, mean, half = line.x[there], mean[there], half[there]
    if smooth > 1:
        axes.plot(line.x, line.mean, color=color, linewidth=0.7, alpha=0.5)
    axes.fill_between(x, mean - half, mean + half, color=color, alpha=0.15, linewidth=0)
    [handle] = axes.plot(x, mean, color=color, linewidth=1.3)
    return handle


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
