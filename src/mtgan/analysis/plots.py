"""The look of the pictures, in one place."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from mtgan.data.images import make_grid

INK, SOFT, BLUE, ORANGE, GREEN, RED = (
    "#1f2933",
    "#9aa5b1",
    "#2b6cb0",
    "#c05621",
    "#2f855a",
    "#c53030",
)
COLORS = (BLUE, ORANGE, GREEN, "#805ad5", "#b83280", "#718096", "#b7791f", "#2c7a7b")


def new_figure(width: float, height: float, title: str) -> Figure:
    """A figure with the verdict, or a title, above it."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.suptitle(title, fontsize=10, color=INK, wrap=True)
    return figure


def side_by_side(figure: Figure, *widths: float) -> list[SubFigure]:
    """Parts of a figure, from left to right, of these relative widths."""
    parts = figure.subfigures(1, len(widths), width_ratios=widths, squeeze=False)
    return list(np.ravel(np.asarray(parts)))


def show_grid(
    axes: Axes,
    images: np.ndarray,
    columns: int,
    title: str = "",
    rows: Sequence[str] = (),
    heads: Sequence[str] = (),
) -> None:
    """Images uint8 [N, C, H, W] in a grid, with labels at its rows and above its columns."""
    grid = np.asarray(make_grid(images, columns=columns, scale=1).convert("RGB"))
    axes.imshow(grid, interpolation="nearest")
    height, width = images.shape[2] + 2, images.shape[3] + 2
    axes.set_yticks([i * height + height / 2 for i in range(len(rows))], rows, fontsize=8)
    axes.set_xticks([i * width + width / 2 for i in range(len(heads))], heads, fontsize=8)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, colors=INK)
    axes.spines[:].set_visible(False)
    if title:
        axes.set_xlabel(title, fontsize=9)


def tidy(axes: Axes, title: str, x: str = "", y: str = "") -> None:
    """Title and labels of a chart, without the box around it."""
    axes.set_title(title, fontsize=9)
    axes.set_xlabel(x, fontsize=8)
    axes.set_ylabel(y, fontsize=8)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
