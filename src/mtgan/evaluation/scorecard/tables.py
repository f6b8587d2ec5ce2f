"""Scorecards as rich tables; sizes and feature space stand beside every number."""

import math
from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mtgan.evaluation.scorecard.scoring import axis_order
from mtgan.evaluation.scorecard.values import CardValues, Entry
from mtgan.text import printable

SIGNS = {"lower": "↓", "higher": "↑", "like real": "≈"}
"""Which way is better."""


def plain(text: str, style: str = "") -> Text:
    """Names from outside as they are: no markup, no emoji, no controls."""
    return Text(printable(text), style=style)


def number(value: float | None) -> str:
    """Three or four significant digits; a dash for nothing."""
    if value is None or math.isnan(value):
        return "–"
    size = abs(value)
    if size >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.1e}" if 0 < size < 1e-3 else f"{value:.4g}"


def interval(bounds: tuple[float, float] | None, digits: int = 0) -> str:
    """`[low, high]`, with fixed decimals when `digits` is given."""
    if bounds is None:
        return ""
    low, high = (f"{b:.{digits}f}" if digits else number(b) for b in bounds)
    return f"[{low}, {high}]"


def half_width(entry: Entry) -> str:
    """Half the width of the 95 % interval, two significant digits."""
    if entry.interval is None:
        return ""
    return f"{(entry.interval[1] - entry.interval[0]) / 2:.2g}"


def sizes(entry: Entry) -> str:
    """Sample size and feature space, as printed beside a number."""
    return f"{entry.samples:,} · {entry.space}"


def card_table(card: CardValues) -> Group:
    """Measures by axis; then, on a calibrated card, the axes and the overall figure."""
    calibrated = card.calibrated
    title = plain(f"Scorecard, {card.protocol.dataset}", "table.title")
    table = Table(title=title, box=SIMPLE_HEAD, padding=0, pad_edge=False)
    table.add_column("")
    table.add_column("measure", no_wrap=True)
    real = any(entry.ceiling is not None for entry in card.entries.values())
    beside = ["real"] * real + ["score"] * calibrated
    for heading in ("value", "±95 %", *beside, "N"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("features")
    axes = dict.fromkeys(entry.axis for entry in card.entries.values())
    for axis in sorted(axes, key=axis_order):
        for name, entry in card.entries.items():
            if entry.axis == axis:
                table.add_row(
                    SIGNS.get(entry.better, ""),
                    plain(name),
                    number(entry.value),
                    half_width(entry),
                    *[number(entry.ceiling)] * real,
                    *[_score(entry.score)] * calibrated,
                    f"{entry.samples:,}",
                    plain(entry.space),
                )
        table.add_section()
    parts: list[RenderableType] = [*(plain(text) for text in card.judge), table]
    if calibrated:
        parts.append(_axes_table(card))
    parts += [plain(text) for text in (card.protocol.sentence(), *card.notes)]
    return Group(*parts)


def _axes_table(card: CardValues) -> Table:
    """Axes with their intervals and the known corruption that each resembles."""
    table = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False)
    table.add_column("axis (0 floor, 1 real)")
    table.add_column("score", justify="right")
    table.add_column("95 %")
    table.add_column("reads")
    for name, axis in card.axes.items():
        reading = plain(axis.reading)
        table.add_row(plain(name), _score(axis.score), interval(axis.interval, 2), reading)
    table.add_section()
    gate = "" if card.gate is None else f"authenticity gate {card.gate:.2f}"
    figure = _score(card.overall) or "none"
    table.add_row("overall", figure, interval(card.interval, 2), gate, style="bold")
    return table


def comparison_table(cards: Mapping[str, CardValues]) -> Table:
    """Cards of one protocol side by side."""
    first = next(iter(cards.values()))
    table = Table(
        title=plain(f"Scorecards, {first.protocol.dataset}", "table.title"),
        caption=plain(first.protocol.sentence(), "table.caption"),
    )
    table.add_column("measure")
    table.add_column("N each · features")
    for title in cards:
        table.add_column(plain(title), justify="right")
    for name in dict.fromkeys(name for card in cards.values() for name in card.entries):
        entries = [card.entries.get(name) for card in cards.values()]
        space = plain(next(sizes(entry) for entry in entries if entry is not None))
        table.add_row(
            plain(name), space, *(number(entry.value) if entry else "–" for entry in entries)
        )
    table.add_section()
    for axis in dict.fromkeys(axis for card in cards.values() for axis in card.axes):
        scores = [card.axes[axis].score if axis in card.axes else None for card in cards.values()]
        table.add_row(plain(axis, "bold"), "", *map(_score, scores))
    if any(card.overall is not None for card in cards.values()):
        cells = [f"{_score(c.overall)} {interval(c.interval, 2)}" for c in cards.values()]
        table.add_row(plain("overall", "bold"), "", *cells)
    return table


def _score(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.2f}"
