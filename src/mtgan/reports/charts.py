"""Charts and pictures as data URIs that read well on light and dark pages."""

import base64
import io
import warnings
from collections.abc import Mapping, Sequence

import matplotlib
from matplotlib.figure import Figure
from PIL import Image

from mtgan.lettering import letter_figure

Series = tuple[Sequence[float], Sequence[float]]  # x, y

_GRAY = "#888888"
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


def svg_uri(figure: Figure) -> str:
    """A figure as an SVG data URI, whose words whoever shows it draws in fonts of theirs."""
    letter_figure(figure, escapes=False)
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "none"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()
