"""The picture of a measure over a study's cells."""

from collections.abc import Mapping, Sequence

import matplotlib
from matplotlib.figure import Figure

from mtgan.reports.charts import svg_uri

_GRAY, _DOT, _MEAN = "#888888", "#3b82c4", "#d9733a"


def dot_chart(
    values: Mapping[str, Sequence[float]],
    intervals: Mapping[str, tuple[float, float] | None],
    xlabel: str,
) -> str:
    """Every run as a dot, a row per cell from the top, as an SVG data URI.

    values: runs by cell. intervals: of the mean; drawn as a bar where there is one. A bar at the
    mean in any case.
    """
    with matplotlib.rc_context(
        {"svg.fonttype": "none", "font.size": 9, "text.color": _GRAY, "axes.labelcolor": _GRAY}
    ):
        figure = Figure(figsize=(7.2, 0.9 + 0.32 * len(values)), layout="constrained")
        axes = figure.add_subplot()
        for row, (label, runs) in enumerate(values.items()):
            mean = sum(runs) / len(runs)
            if interval := intervals.get(label):
                axes.plot(interval, (row, row), color=_MEAN, linewidth=5, alpha=0.35)
            axes.plot(runs, [row] * len(runs), "o", color=_DOT, markersize=4, alpha=0.8)
            axes.plot(mean, row, "|", color=_MEAN, markersize=13, markeredgewidth=2)
        axes.set_yticks(range(len(values)), list(values), fontsize=9)
        axes.set_ylim(len(values) - 0.5, -0.5)
        axes.set_xlabel(xlabel)
        axes.tick_params(colors=_GRAY)
        axes.grid(axis="x", color=_GRAY, alpha=0.25, linewidth=0.5)
        for side, spine in axes.spines.items():
            spine.set_color(_GRAY)
            spine.set_visible(side in {"left", "bottom"})
        return svg_uri(figure)
