"""What the diagrams are drawn with. All measures are inches on the page."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

INK, DATA, REAL, LABEL, SHARED = "#1f2933", "#4a5568", "#2f855a", "#805ad5", "#c53030"
TINTS = {"generator": "#fbe3d0", "discriminator": "#d6e6f7", "classifier": "#d9efdf"}
LINE = 0.21  # between lines of text


def page(width: float, top: float, bottom: float, title: str, words: str) -> tuple[Figure, Axes]:
    """A figure whose axes are inches, from 0 to the width and from the bottom to the top, with a
    title and a line of words at its upper edge."""
    figure = Figure(figsize=(width, top - bottom))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(bottom, top)
    axes.set_axis_off()
    write(axes, 0.25, top - 0.25, title, size=13, weight="bold")
    write(axes, 0.25, top - 0.5, words, size=8, color=DATA)
    return figure, axes


def box(
    axes: Axes,
    x: float,
    y: float,
    width: float,
    height: float,
    tint: str = "white",
    edge: str = INK,
) -> None:
    """A box with its middle at (x, y)."""
    corner = (x - width / 2, y - height / 2)
    axes.add_patch(
        FancyBboxPatch(
            corner,
            width,
            height,
            "round,pad=0,rounding_size=0.08",
            fc=tint,
            ec=edge,
            lw=1.0,
            zorder=3,
        )
    )


def arrow(
    axes: Axes,
    points: Sequence[tuple[float, float]],
    color: str,
    dashed: bool = False,
    style: str = "-|>",
    width: float = 1.2,
) -> None:
    """A line through points that ends in an arrow."""
    line = "--" if dashed else "-"
    if len(points) > 2:
        xs, ys = zip(*points[:-1], strict=True)
        axes.plot(xs, ys, color=color, linewidth=width, linestyle=line, zorder=1)
    axes.add_patch(
        FancyArrowPatch(
            points[-2],
            points[-1],
            arrowstyle=style,
            mutation_scale=10,
            shrinkA=0,
            shrinkB=0,
            color=color,
            linewidth=width,
            linestyle=line,
            zorder=2,
        )
    )


def write(
    axes: Axes,
    x: float,
    y: float,
    words: str,
    size: float,
    color: str = INK,
    weight: str = "normal",
    ha: str = "left",
) -> None:
    """Words on one line, whose middle is at y."""
    if words:
        axes.text(
            x, y, words, fontsize=size, color=color, weight=weight, ha=ha, va="center", zorder=4
        )
