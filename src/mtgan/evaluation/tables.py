"""Scorecards as rich tables; sizes and feature space stand beside every number."""

import math
from collections.abc import Mapping

from rich.table import Table

from mtgan.evaluation.scorecard import Entry, Scorecard
from mtgan.evaluation.scoring import axis_order


def number(value: float | None) -> str:
    """Four significant digits; a dash for nothing."""
    if value is None or math.isnan(value):
        return "–"
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def interval(bounds: tuple[float, float] | None, digits: int = 0) -> str:
    """`[low, high]`, with fixed decimals when `digits` is given."""
    if bounds is None:
        return ""
    low, high = (f"{b:.{digits}f}" if digits else number(b) for b in bounds)
    return f"[{low}, {high}]"


def sizes(entry: Entry) -> str:
    """Sample size and feature space, as printed beside a number."""
    return f"{entry.samples:,} · {entry.space}"


def card_table(card: Scorecard) -> Table:
    """Measures by axis, then the axes and the overall figure."""
    calibrated = card.overall is not None
    table = Table(title=f"Scorecard, {card.protocol.dataset}", caption=_caption(card))
    columns = ["measure", "value", "95 % interval", "better", "N each · features"]
    if calibrated:
        columns += ["real", "floor", "score"]
    for column in columns:
        numeric = column in {"value", "real", "floor", "score"}
        table.add_column(column, justify="right" if numeric else "left")
    axes = dict.fromkeys(entry.axis for entry in card.entries.values())
    for axis in sorted(axes, key=axis_order):
        members = {name: e for name, e in card.entries.items() if e.axis == axis}
        for name, e in members.items():
            row = [name, number(e.value), interval(e.interval), e.better, sizes(e)]
            if calibrated:
                row += [number(e.ceiling), number(e.floor), _score(e.score)]
            table.add_row(*row)
        if axis in card.axes:
            summary = card.axes[axis]
            table.add_row(
                f"[bold]{axis}[/bold]",
                *["", interval(summary.interval, 2), "", summary.reading],
                *["", "", f"[bold]{summary.score:.2f}[/bold]"],
            )
        table.add_section()
    if calibrated:
        gate = "" if card.gate is None else f"authenticity gate {card.gate:.2f}"
        table.add_row(
            "[bold]overall[/bold]",
            *["", interval(card.interval, 2), "", gate, "", ""],
            f"[bold]{card.overall:.2f}[/bold]",
        )
    return table


def comparison_table(cards: Mapping[str, Scorecard]) -> Table:
    """Cards of one protocol side by side."""
    first = next(iter(cards.values()))
    table = Table(title=f"Scorecards, {first.protocol.dataset}", caption=first.protocol.sentence())
    table.add_column("measure")
    table.add_column("N each · features")
    for title in cards:
        table.add_column(title, justify="right")
    for name in dict.fromkeys(name for card in cards.values() for name in card):
        entries = [card.entries.get(name) for card in cards.values()]
        space = next(sizes(entry) for entry in entries if entry is not None)
        table.add_row(name, space, *(number(entry.value) if entry else "–" for entry in entries))
    table.add_section()
    for axis in dict.fromkeys(axis for card in cards.values() for axis in card.axes):
        scores = [card.axes[axis].score if axis in card.axes else None for card in cards.values()]
        table.add_row(f"[bold]{axis}[/bold]", "", *map(_score, scores))
    if any(card.overall is not None for card in cards.values()):
        cells = [f"{_score(c.overall)} {interval(c.interval, 2)}" for c in cards.values()]
        table.add_row("[bold]overall[/bold]", "", *cells)
    return table


def _score(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.2f}"


def _caption(card: Scorecard) -> str:
    return "\n".join([card.protocol.sentence(), *card.notes])
