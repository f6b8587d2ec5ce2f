"""Charts and pictures as data URIs that read well on light and dark pages."""

import base64
import io
import warnings
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from mtgan.lettering import letter_figure

Series = tuple[Sequence[float], Sequence[float]]  # x, y

_GRAY = "#888888"
_WRITTEN, _NAMED = 12, 40  # classes of a confusion table, at most
_COLORS = ("#3b82c4", "#d9733a", "#4a9a5b", "#a05ab5", "#b8972e", "#c14d62", "#4aa3a8", "#7a7a7a")


def image_uri(image: Image.Image) -> str:
    """A PIL image as a PNG data URI."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def line_chart(
    series: Mapping[str, Series],
    ylabel: str,
    right: Mapping[str, Series] | None = None,
    right_label: str = "",
    log: bool = False,
    xlabel: str = "iterations",
) -> str:
    """Lines over iterations, as an SVG data URI; `right` has an axis of its own.

    log puts the left axis on a logarithmic scale where all its values are positive. xlabel: what x
    is where it is no iteration.
    """
    with matplotlib.rc_context(
        {"svg.fonttype": "none", "font.size": 9, "text.color": _GRAY, "axes.labelcolor": _GRAY}
    ):
        figure = Figure(figsize=(7.2, 3.0), layout="constrained")
        axes = figure.add_subplot()
        colors = iter(_COLORS * 3)
        lines = [
            axes.plot(x, y, label=name, color=next(colors), linewidth=1.3)[0]
            for name, (x, y) in series.items()
        ]
        if log and all(min(y) > 0 for _, y in series.values() if len(y)):
            axes.set_yscale("log")
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        every = [axes]
        if right:
            twin = axes.twinx()
            every.append(twin)
            twin.set_ylabel(right_label)
            lines += [
                twin.plot(x, y, label=name, color=next(colors), linewidth=1.3, marker=".")[0]
                for name, (x, y) in right.items()
            ]
        for one in every:
            one.tick_params(colors=_GRAY)
            for spine in one.spines.values():
                spine.set_color(_GRAY)
            one.spines["top"].set_visible(False)
        axes.grid(color=_GRAY, alpha=0.25, linewidth=0.5)
        axes.legend(handles=lines, frameon=False, labelcolor=_GRAY, fontsize=8, ncols=2)
        return svg_uri(figure)


def confusion_chart(table: np.ndarray, classes: Sequence[str]) -> str:
    """A table of counts [K, K], class by the one that was predicted, as shares of each row, as an
    SVG data URI. Up to 12 classes have their shares written, up to 40 their names."""
    count = len(classes)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    side = 3.2 + 0.16 * min(count, 40)
    with matplotlib.rc_context(
        {"svg.fonttype": "none", "font.size": 8, "text.color": _GRAY, "axes.labelcolor": _GRAY}
    ):
        figure = Figure(figsize=(side + 0.8, side), layout="constrained")
        axes = figure.add_subplot()
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
        named = range(count) if count <= _NAMED else ()
        axes.set_xticks(named, [classes[i] for i in named], rotation=90)
        axes.set_yticks(named, [classes[i] for i in named])
        axes.tick_params(colors=_GRAY, length=0)
        axes.set_xlabel("predicted")
        axes.set_ylabel("class")
        for i, j in np.ndindex(shares.shape) if count <= _WRITTEN else ():
            if shares[i, j] >= 0.005:
                color = "white" if shares[i, j] > 0.5 else "#333333"
                text = f"{shares[i, j]:.0%}".removesuffix("%")
                axes.text(j, i, text, ha="center", va="center", color=color, fontsize=7)
        bar = figure.colorbar(image, shrink=0.7)
        bar.ax.tick_params(colors=_GRAY)
        bar.set_label("share of the class")
        return svg_uri(figure)


def svg_uri(figure: Figure) -> str:
    """A figure as an SVG data URI, whose words whoever shows it draws in fonts of theirs."""
    letter_figure(figure, escapes=False)
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "none"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()
