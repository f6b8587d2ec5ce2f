"""A picture of a recipe: players, what flows between them, label paths, and phases.

In form as the thesis's Figures 1.1, 1.5, 3.2, 3.4 to 3.6 and D.2, from the recipe alone. All
measures are inches on the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtgan.recipes.players import Cast, PhaseRow, Player, cast_of
from mtgan.recipes.schema import Recipe, Sharing
from mtgan.recipes.strokes import (
    DATA,
    INK,
    LABEL,
    LINE,
    REAL,
    SHARED,
    TINTS,
    arrow,
    box,
    page,
    write,
)

_WIDTH = 11.8
# Middles of the columns, and where the lines of generated and real samples run down.
_INPUT, _GENERATOR, _SAMPLE, _JUDGE, _SAYS = 1.1, 3.5, 5.75, 8.0, 9.45
_GENERATED_BUS, _REAL_BUS = 6.55, 6.75
_BOX, _SMALL = (2.0, 0.9), (1.4, 0.42)


@dataclass(frozen=True)
class _Place:
    """The middle of a box."""

    x: float
    y: float

    @property
    def left(self) -> float:
        return self.x - _BOX[0] / 2

    @property
    def right(self) -> float:
        return self.x + _BOX[0] / 2


def diagram(recipe: Recipe) -> Figure:
    """The players of a resolved recipe and how they are joined, with their phases below."""
    cast = cast_of(recipe)
    places, real, bottom = _layout(cast)
    title, rows = 0.75, 0.45 + LINE * sum(map(_height, cast.phases))
    name = recipe.title or recipe.name
    figure, axes = page(_WIDTH, title, bottom - rows, name, recipe.source)
    for generator, discriminator in cast.pairs:
        _draw_pair(axes, cast, generator, discriminator, places)
    for classifier in cast.classifiers:
        _draw_player(axes, classifier, places[classifier.name])
    _draw_samples(axes, cast, places, real)
    for count, sharing in enumerate(cast.sharing):
        _draw_sharing(axes, sharing, places, count)
    _draw_phases(axes, cast.phases, bottom - 0.1)
    return figure


# Where things stand


def _layout(cast: Cast) -> tuple[dict[str, _Place], _Place, float]:
    """Places by player, that of the real samples, and the lower edge: pairs from above, then the
    real samples, then the classifiers."""
    places, y = {}, 0.0
    for generator, discriminator in cast.pairs:
        half = max(0.95, 0.3 + LINE * len(_lines_of(discriminator)) / 2)
        y -= half
        places[generator.name] = _Place(_GENERATOR, y)
        places[discriminator.name] = _Place(_JUDGE, y)
        y -= half - 0.15
    real = _Place(_SAMPLE, y - 0.1)
    y -= 0.45
    for classifier in cast.classifiers:
        y -= 0.55
        places[classifier.name] = _Place(_JUDGE, y)
        y -= 0.7
    return places, real, y


# Players and what they are given


def _draw_pair(
    axes: Axes, cast: Cast, generator: Player, discriminator: Player, places: dict[str, _Place]
) -> None:
    _draw_player(axes, generator, places[generator.name])
    _draw_player(axes, discriminator, places[discriminator.name])
    place, judge = places[generator.name], places[discriminator.name]
    edge = _INPUT + _SMALL[0] / 2
    told = bool(generator.levels)
    latent = place.y - 0.25 if told else place.y
    _draw_small(axes, _INPUT, latent, "latent z", cast.latent)
    arrow(axes, [(edge, latent), (place.left, latent)], DATA)
    if not told:
        return
    labels = place.y + 0.3
    _draw_small(axes, _INPUT, labels, "labels y", ", ".join(generator.levels), LABEL)
    arrow(axes, [(edge, labels), (place.left, labels)], LABEL, dashed=True)
    write(axes, edge + 0.06, labels + 0.1, generator.by, size=7.5, color=LABEL)
    if discriminator.levels:
        lane = place.y + 0.72
        corners = [(_INPUT, labels + _SMALL[1] / 2), (_INPUT, lane), (judge.x, lane)]
        arrow(axes, [*corners, (judge.x, judge.y + _BOX[1] / 2)], LABEL, dashed=True)
        words = f"{', '.join(discriminator.levels)}: {discriminator.by}"
        write(axes, _SAMPLE, lane + 0.1, words, size=7.5, color=LABEL, ha="center")


def _draw_player(axes: Axes, player: Player, place: _Place) -> None:
    kind, _, level = player.name.partition("/")
    box(axes, place.x, place.y, *_BOX, tint=TINTS[kind])
    title = f"{kind.capitalize()} {level}".strip()
    write(axes, place.x, place.y + 0.14, title, size=10, weight="bold", ha="center")
    network = player.network.split(", ")
    write(axes, place.x, place.y - 0.08, ", ".join(network[:2]), size=7.5, ha="center")
    write(axes, place.x, place.y - 0.26, ", ".join(network[2:]), size=7.5, ha="center")
    lines = _lines_of(player)
    y = place.y + LINE * (len(lines) - 1) / 2
    for words, color in lines:
        write(axes, _SAYS + 0.1, y, words, size=8, color=color)
        y -= LINE
    if lines:
        arrow(axes, [(place.right, place.y), (_SAYS + 0.05, place.y)], DATA)


def _lines_of(player: Player) -> list[tuple[str, str]]:
    """What a player says, on short lines, each with its color."""
    return [
        (line, LABEL if said in player.tells else INK)
        for said in player.says
        for line in wrap(said, 36)
    ]


def _draw_small(axes: Axes, x: float, y: float, title: str, words: str, color: str = DATA) -> None:
    """A box of what is given to a network."""
    box(axes, x, y, *_SMALL)
    write(axes, x, y + (0.09 if words else 0), title, size=8, color=color, ha="center")
    write(axes, x, y - 0.09, words, size=7, color=color, ha="center")


def _draw_samples(axes: Axes, cast: Cast, places: dict[str, _Place], real: _Place) -> None:
    """Generated and real samples, and to whom they go."""
    judges = [places[discriminator.name] for _, discriminator in cast.pairs]
    classifiers = [places[classifier.name] for classifier in cast.classifiers]
    for generator, discriminator in cast.pairs:
        place, judge = places[generator.name], places[discriminator.name]
        _draw_small(axes, _SAMPLE, place.y, "generated", "samples")
        edges = _SAMPLE - _SMALL[0] / 2, _SAMPLE + _SMALL[0] / 2
        arrow(axes, [(place.right, place.y), (edges[0], place.y)], DATA)
        for target in (judge, *classifiers):
            y = target.y + (0.0 if target is judge else 0.15)
            corners = [] if target is judge else [(_GENERATED_BUS, place.y), (_GENERATED_BUS, y)]
            arrow(axes, [(edges[1], place.y), *corners, (target.left, y)], DATA)
    labels = "and their labels" if cast.reads_labels else ""
    _draw_small(axes, real.x, real.y, "real samples", labels, REAL)
    for target in (*judges, *classifiers):
        y = target.y + (-0.25 if target in judges else -0.15)
        edge = real.x + _SMALL[0] / 2
        arrow(axes, [(edge, real.y), (_REAL_BUS, real.y), (_REAL_BUS, y), (target.left, y)], REAL)


def _draw_sharing(axes: Axes, sharing: Sharing, places: dict[str, _Place], count: int) -> None:
    """A line between two boxes one above the other; dotted where they only pull at each other."""
    if any(name not in places for name in sharing.between):
        return
    upper, lower = sorted((places[name] for name in sharing.between), key=lambda p: -p.y)
    soft = sharing.kind == "soft"
    x = upper.x - 0.6 + 0.25 * (count % 3)
    ends = [(x, upper.y - _BOX[1] / 2), (x, lower.y + _BOX[1] / 2)]
    arrow(axes, ends, SHARED, dashed=soft, style="<|-|>", width=1.2 if soft else 2.4)
    pull = f", {sharing.weight:g} x {sharing.norm}" if soft else ""
    words = f"{sharing.layers} layers {'alike' if soft else 'shared'}{pull}"
    write(axes, x + 0.08, sum(y for _, y in ends) / 2, words, size=7.5, color=SHARED)


# PhaseRows

_COLUMNS = (0.25, 2.35, 4.35, 7.1)


def _height(phase: PhaseRow) -> int:
    return max(1, len(_folded(phase.losses)))


def _folded(losses: Sequence[str], width: int = 62) -> list[str]:
    """Losses as a sum, on lines of at most about so many letters."""
    lines = [""]
    for number, loss in enumerate(losses):
        word = loss if number == 0 else f" + {loss}"
        if lines[-1] and len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] += word
    return [line.strip() for line in lines]


def _draw_phases(axes: Axes, phases: Sequence[PhaseRow], y: float) -> None:
    heads = ("phase", "in each iteration", "moves", "lowers")
    for x, head in zip(_COLUMNS, heads, strict=True):
        write(axes, x, y, head, size=8, weight="bold")
    axes.plot([0.25, _WIDTH - 0.25], [y - 0.12] * 2, color=DATA, linewidth=0.6)
    y -= 0.27
    for phase in phases:
        for x, words in zip(
            _COLUMNS, (phase.name, phase.when, " and ".join(phase.moves)), strict=False
        ):
            write(axes, x, y, words, size=8)
        for line in _folded(phase.losses):
            write(axes, _COLUMNS[-1], y, line, size=8)
            y -= LINE
