"""The figures of the thesis's chapter 2 from a sweep's runs (Figures 2.2 to 2.6 in form)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtgan.classification.tables import Row, by_seed, estimate, matrix_of
from mtgan.lettering import save_figure

Lines = list[dict[str, Any]]  # a run's metrics.jsonl
_CURVES = {"main/accuracy": "validation accuracy", "main/cross_entropy": "validation cross-entropy"}


def write_figures(rows: Sequence[Row], curves: Sequence[Lines], out: Path) -> None:
    """curves-PERCENTpct.png by fraction (Figures 2.2, 2.3, 2.4, 2.6); distance.png where weights
    are softly shared (Figure 2.5); fractions.png where there are several (Table 2.2)."""
    fractions, _ = matrix_of(rows)
    for fraction in fractions:
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        for axes, (measure, label) in zip(figure.subplots(1, 2), _CURVES.items(), strict=True):
            _draw(axes, rows, curves, fraction, measure, label)
        save_figure(figure, out / f"curves-{100 * fraction:g}pct.png", dpi=120)
    if any("distance" in line["values"] for lines in curves for line in lines[:1]):
        figure = Figure(figsize=(5, 3.4), layout="constrained")
        axes = figure.subplots()
        _draw(axes, rows, curves, fractions[0], "distance", "distance between shared weights")
        axes.set_yscale("log")
        save_figure(figure, out / "distance.png", dpi=120)
    if len(fractions) > 1:
        _draw_fractions(rows, out)


def _legend(axes: Axes, names: Sequence[str]) -> None:
    """A legend of all that was drawn, in order; also of names that begin with an underscore, which
    matplotlib would leave out."""
    handles = axes.get_legend_handles_labels()[0]
    legend = axes.legend(handles, ["-"] * len(handles), fontsize=8)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(name)


def _draw(
    axes: Axes,
    rows: Sequence[Row],
    curves: Sequence[Lines],
    fraction: float,
    measure: str,
    label: str,
) -> None:
    """The mean over seeds of one measure over epochs, a line per setting; the band is the 95 %
    interval of the mean."""
    _, settings = matrix_of(rows)
    drawn = []
    for number, setting in enumerate(settings):
        runs = [
            [line["values"][measure] for line in lines if measure in line["values"]]
            for row, lines in zip(rows, curves, strict=True)
            if (row.setting, row.fraction) == (setting, fraction)
        ]
        if not runs or not runs[0]:
            continue
        means = [estimate(values) for values in zip(*runs, strict=True)]
        middle = np.array([e.mean for e in means])
        half = np.nan_to_num(np.array([e.half_width for e in means]))
        epochs = np.arange(1, len(means) + 1)
        axes.plot(epochs, middle, color=f"C{number}", label="-")
        drawn.append(setting)
        axes.fill_between(epochs, middle - half, middle + half, color=f"C{number}", alpha=0.15)
    axes.set_xlabel("epoch")
    axes.set_ylabel(label)
    _legend(axes, drawn)


def _draw_fractions(rows: Sequence[Row], out: Path) -> None:
    fractions, settings = matrix_of(rows)
    figure = Figure(figsize=(5, 3.4), layout="constrained")
    axes = figure.subplots()
    for setting in settings:
        cells = [by_seed(rows, setting, f, "test_accuracy") for f in fractions]
        means = [estimate(list(cell.values())) for cell in cells]
        axes.errorbar(
            [100 * f for f in fractions],
            [e.mean for e in means],
            np.nan_to_num([e.half_width for e in means]),
            capsize=3,
            marker="o",
            label="-",
        )
    axes.set_xlabel("data, %")
    axes.set_ylabel("test accuracy")
    _legend(axes, settings)
    save_figure(figure, out / "fractions.png", dpi=120)
