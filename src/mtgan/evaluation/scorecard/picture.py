"""A scorecard as one picture: axes, measures between floor and real, and known corruptions."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtgan.evaluation.scorecard.scoring import axis_order
from mtgan.evaluation.scorecard.tables import number
from mtgan.evaluation.scorecard.values import CardValues
from mtgan.lettering import save_figure

INK, SOFT, ACCENT = "#1f2933", "#9aa5b1", "#2b6cb0"
CORRUPTION_COLORS = ("#2b6cb0", "#c05621", "#2f855a", "#805ad5", "#b83280", "#718096")


def draw_card(card: CardValues, path: Path) -> Path:
    """Draw a card to a file; the suffix decides the format.

    Raises:
        UserError: A suffix that cannot be drawn, or a folder that cannot be written.
    """
    return draw_cards({"": card}, path)


def draw_cards(cards: Mapping[str, CardValues], path: Path) -> Path:
    """Draw cards by domain to a file, one under the other; see draw_card."""
    return save_figure(card_figure(cards), path)


def card_figure(cards: Mapping[str, CardValues]) -> Figure:
    """Cards by domain as one figure."""
    heights = [_height(card) for card in cards.values()]
    width = max(_WIDTHS[len(_panels_of(card))] for card in cards.values())
    figure = Figure(figsize=(width, sum(heights)), layout="constrained")
    rows = figure.subfigures(len(cards), 1, height_ratios=heights, squeeze=False)[:, 0]
    for row, card in zip(rows, cards.values(), strict=True):
        drawn = _panels_of(card)
        ratios = (1, 1.25, 1.25)[: len(drawn)]
        panels = row.subplots(1, len(drawn), width_ratios=ratios, squeeze=False)[0]
        for panel, draw in zip(panels, drawn, strict=True):
            draw(panel, card)
        title = f"{card.protocol.dataset}\n{card.protocol.sentence()}"
        row.suptitle(title, fontsize=9, color=INK)
    return figure


_WIDTHS = {1: 8, 2: 10, 3: 15}
"""Inches, by the number of panels side by side."""


def _panels_of(card: CardValues) -> Sequence[Callable[[Axes, CardValues], None]]:
    """What is drawn of a card, from left to right."""
    if not card.calibrated:
        return (_draw_numbers,)
    return (_draw_axes, _draw_measures, *((_draw_corruptions,) if card.corruption_levels else ()))


def _height(card: CardValues) -> float:
    """Inches that a card needs."""
    scored = sum(entry.score is not None for entry in card.entries.values())
    lines = scored if card.calibrated else len(card.entries)
    return max(4.5, 0.26 * lines + 1.6)


def _draw_axes(panel: Axes, card: CardValues) -> None:
    """Bars for the axes and the overall figure, with 95 % intervals."""
    rows = [(name, axis.score, axis.interval) for name, axis in card.axes.items()]
    if card.overall is not None:
        rows.append(("overall", card.overall, card.interval))
    for place, (name, value, bounds) in enumerate(reversed(rows)):
        panel.barh(place, value, height=0.62, color=INK if name == "overall" else ACCENT)
        if bounds is not None:
            panel.plot(bounds, (place, place), color="black", linewidth=1.2, marker="|")
        panel.text(1.04, place, f"{value:.2f}", va="center", fontsize=9)
    panel.set_yticks(range(len(rows)), [name for name, *_ in reversed(rows)])
    _unit_axis(panel, "score: 0 floor, 1 held-out real")
    panel.set_title("axes" if card.overall is not None else "axes (no overall)", fontsize=10)


def _draw_measures(panel: Axes, card: CardValues) -> None:
    """Every scored measure as a dot between floor and real, with its raw value."""
    scored = [(name, entry) for name, entry in card.entries.items() if entry.score is not None]
    scored.sort(key=lambda item: axis_order(item[1].axis))
    for place, (_, entry) in enumerate(reversed(scored)):
        assert entry.score is not None
        panel.plot((0, 1), (place, place), color=SOFT, linewidth=0.7)
        panel.plot(entry.score, place, "o", color=ACCENT, markersize=6)
        text = f"{number(entry.value)}  (real {number(entry.ceiling)})"
        panel.text(1.04, place, text, va="center", fontsize=8)
    names = [name for name, _ in reversed(scored)]
    panel.set_yticks(range(len(scored)), names, fontsize=8)
    _unit_axis(panel, "score of each measure")
    panel.set_title("measures", fontsize=10)


def _draw_corruptions(panel: Axes, card: CardValues) -> None:
    """Overall figure of known corruptions of the real data; the card's own as a line."""
    names = list(dict.fromkeys(level.corruption for level in card.corruption_levels))
    for name, color in zip(names, CORRUPTION_COLORS, strict=False):
        levels = [level for level in card.corruption_levels if level.corruption == name]
        panel.plot(
            [0, *(level.strength for level in levels)],
            [1, *(level.overall for level in levels)],
            marker="o",
            markersize=3.5,
            color=color,
            label=name,
        )
    if card.overall is not None:
        panel.axhline(card.overall, color=INK, linestyle="--", linewidth=1.2, label="these samples")
    panel.set_xlim(0, 1)
    panel.set_ylim(0, 1.05)
    panel.set_xlabel("strength or share of the corruption", fontsize=9)
    panel.set_title("overall figure of known corruptions", fontsize=10)
    if panel.get_legend_handles_labels()[0]:
        panel.legend(fontsize=8, frameon=False)
    panel.spines[["top", "right"]].set_visible(False)


def _draw_numbers(panel: Axes, card: CardValues) -> None:
    """A card without calibration: the numbers as text."""
    for place, (name, entry) in enumerate(reversed(card.entries.items())):
        panel.text(0.0, place, name, va="center", fontsize=9)
        panel.text(0.5, place, number(entry.value), va="center", ha="right", fontsize=9)
        panel.text(0.53, place, f"N {entry.samples:,} · {entry.space}", va="center", fontsize=8)
    panel.set_ylim(-1, len(card.entries))
    panel.set_axis_off()


def _unit_axis(panel: Axes, label: str) -> None:
    panel.set_xlim(0, 1.45)
    panel.set_xticks((0, 0.25, 0.5, 0.75, 1))
    panel.set_xlabel(label, fontsize=9)
    panel.spines[["top", "right"]].set_visible(False)
