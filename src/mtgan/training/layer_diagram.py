"""A picture of networks, layer by layer: in form as the thesis's Figures 1.2 and D.2.

All measures are inches on the page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtgan.nets.layers import Layer, NetworkLayers
from mtgan.recipes.strokes import DATA, INK, SHARED, TINTS, arrow, box, page, write

_WIDTH, _GAP, _LINE, _LETTERS = 2.3, 0.3, 0.17, 38
_BETWEEN = 0.28  # from a layer down to the next


@dataclass(frozen=True)
class _Node:
    """A layer, and the layers that take what it gives."""

    layer: Layer
    following: tuple["_Node", ...]

    @property
    def columns(self) -> int:
        return sum(node.columns for node in self.following) or 1

    @property
    def lines(self) -> list[str]:
        shared = [f"shared with {name}" for name in self.layer.shared_with]
        size = " x ".join(map(str, self.layer.output or (1,)))
        last = f"{size}; {self.layer.parameters:,} parameters"
        # What belongs together stands on one line.
        parts = "; ".join(self.layer.parts).replace(" ", "\u00a0")
        parts = parts.replace(",\u00a0", ", ").replace(";\u00a0", "; ")
        return [*wrap(parts, _LETTERS), last, *shared]

    @property
    def height(self) -> float:
        return _LINE * (len(self.lines) + 1) + 0.1

    @property
    def depth(self) -> float:
        """Of the whole tree, from its upper edge."""
        below = (node.depth for node in self.following)
        return self.height + max((_BETWEEN + depth for depth in below), default=0.0)


def layer_diagram(title: str, words: str, networks: Sequence[NetworkLayers]) -> Figure:
    """Networks side by side, each from its input down; a layer stands above those that take what
    it gives. words: a line under the title."""
    trees = [list(_nodes(network.layers, "")) for network in networks]
    columns = [sum(node.columns for node in nodes) for nodes in trees]
    width = 0.5 + sum(columns) * (_WIDTH + _GAP) + (len(networks) - 1) * _GAP
    depth = max(node.depth for nodes in trees for node in nodes)
    figure, axes = page(max(width, 6.0), 1.3, -depth - 0.3, title, words)
    left = 0.25
    for network, nodes in zip(networks, trees, strict=True):
        name = f"{network.name}: {network.parameters:,} parameters"
        write(axes, left, 0.25, name, size=9, weight="bold")
        tint = TINTS[network.name.partition("/")[0]]
        for node in nodes:
            _draw(axes, node, left, 0.0, tint)
            left += node.columns * (_WIDTH + _GAP)
        left += _GAP
    return figure


def _nodes(layers: Sequence[Layer], after: str) -> Iterator[_Node]:
    """The trees of the layers that follow one ("": the input)."""
    for layer in layers:
        if layer.after == after:
            yield _Node(layer, tuple(_nodes(layers, layer.name)))


def _draw(axes: Axes, node: _Node, left: float, top: float, tint: str) -> tuple[float, float]:
    """Draw a tree whose upper edge is at the top; returns the middle of its first box's upper
    edge."""
    middle = left + node.columns * (_WIDTH + _GAP) / 2
    bottom = top - node.height
    edge = SHARED if node.layer.shared_with else INK
    box(axes, middle, (top + bottom) / 2, _WIDTH, node.height, tint, edge)
    y = top - 0.05 - _LINE / 2
    write(axes, middle, y, node.layer.name, size=8.5, weight="bold", ha="center")
    for line in node.lines:
        y -= _LINE
        write(axes, middle, y, line, size=7, ha="center")
    for following in node.following:
        ends = [(middle, bottom), _draw(axes, following, left, bottom - _BETWEEN, tint)]
        arrow(axes, ends, DATA)
        left += following.columns * (_WIDTH + _GAP)
    return middle, top
