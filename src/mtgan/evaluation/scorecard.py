"""The result of an evaluation: numbers with their protocol, scores between floor and ceiling.

A card holds plain values only, so that it can be written, read, compared and drawn anywhere.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtgan.errors import UserError
from mtgan.evaluation.protocol import Protocol
from mtgan.text import printable, rendered

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

FORMAT = "mtgan-scorecard-1"


@dataclass(frozen=True)
class Entry:
    """One measure's number and, on a calibrated card, its place between floor and ceiling.

    Attributes:
        value: The number as its paper defines it.
        better: "lower", "higher" or "like real".
        axis: The axis that it counts for; "" where it is only reported.
        space: What it was computed on: the feature space, or "pixels".
        samples: Samples of each side that went into it.
        interval: 95 % interval of `value`, or None.
        ceiling: The same measure of held-out real samples, or None.
        floor: The same measure of the axis's floors (the one farthest from real), or None.
        score: 1 at the ceiling, 0 at the floor, or None.
    """

    value: float
    better: str
    axis: str
    space: str
    samples: int
    interval: tuple[float, float] | None = None
    ceiling: float | None = None
    floor: float | None = None
    score: float | None = None


@dataclass(frozen=True)
class Axis:
    """The mean score of an axis's measures, with its interval, and the damage it resembles."""

    score: float
    interval: tuple[float, float] | None = None
    reading: str = ""


@dataclass(frozen=True)
class Rung:
    """One known damage of the ladder and the axis scores that it gets.

    Attributes:
        damage: Kind of damage ("missing modes", "blur", ...).
        amount: How much, in words ("3 of 10 classes").
        strength: The same as a share between 0 and 1.
        axes: Score by axis.
        overall: Overall figure.
        values: The measures' numbers.
    """

    damage: str
    amount: str
    strength: float
    axes: dict[str, float]
    overall: float
    values: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class Scorecard(Mapping[str, float]):
    """All numbers of one evaluation; a mapping from measure to number.

    Attributes:
        protocol: How the numbers were made.
        entries: Every measure, in the order of computation.
        axes: Score by axis (empty on a card that is not calibrated).
        judge: What is known of the judge, to be read before any number.
        overall: Geometric mean of the axes, times the authenticity gate; None without axes, and
            where the judge is too weak for one.
        interval: 95 % interval of `overall`.
        gate: The authenticity gate, 1 when open.
        ladder: Known damages of the same real data, for reading the axes aloud.
        details: Numbers by label level and class name: {measure/level: {class: value}}.
        notes: Warnings and facts to print under the table.
    """

    protocol: Protocol
    entries: dict[str, Entry]
    judge: tuple[str, ...] = ()
    axes: dict[str, Axis] = field(default_factory=dict)
    overall: float | None = None
    interval: tuple[float, float] | None = None
    gate: float | None = None
    ladder: tuple[Rung, ...] = ()
    details: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        overall = "no overall figure" if self.overall is None else f"overall {self.overall:.2f}"
        stamp = self.protocol
        text = f"{overall}; {len(self)} numbers of n = {stamp.generated:,} in {stamp.features}"
        return f"Scorecard({printable(text)})"

    def __str__(self) -> str:
        return rendered(self.table())

    def _repr_html_(self) -> str:
        return rendered(self.table(), html=True)

    def __getitem__(self, name: str) -> float:
        return self.entries[name].value

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def calibrated(self) -> bool:
        """Whether the numbers have scores between floor and ceiling."""
        return bool(self.axes)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, with the format's name."""
        return {"format": FORMAT, **asdict(self)}

    def to_json(self) -> str:
        """JSON that `from_json` reads back into an equal card; numbers not finite are null."""
        return json.dumps(_finite(self.to_dict()), indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "Scorecard":
        """Read what `to_json` wrote.

        Raises:
            UserError: Text that is not a scorecard of this format, or holds other types.
        """
        from pydantic import TypeAdapter  # slow to import

        try:
            values = json.loads(text)
            if values.pop("format") != FORMAT:
                raise KeyError("format")
            card = cls(
                protocol=Protocol.from_dict(values.pop("protocol")),
                entries={k: Entry(**_pairs(v)) for k, v in values.pop("entries").items()},
                axes={k: Axis(**_pairs(v)) for k, v in values.pop("axes").items()},
                ladder=tuple(Rung(**rung) for rung in values.pop("ladder")),
                details={k: _with_nan(v) for k, v in values.pop("details").items()},
                notes=tuple(values.pop("notes")),
                judge=tuple(values.pop("judge", ())),
                **_pairs(values),
            )
            return TypeAdapter(cls).validate_python(asdict(card))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UserError(
                "this is not a scorecard of this version of mtgan: write one with "
                "`mtgan evaluate --json FILE`"
            ) from error

    def table(self) -> "Group":
        """For rich: every number with its interval, sample size, feature space and score."""
        from mtgan.evaluation.tables import card_table

        return card_table(self)

    def picture(self, path: str | Path) -> Path:
        """Draw axes, measures and ladder to an image file, and return its path."""
        from mtgan.evaluation.picture import draw_card

        return draw_card(self, Path(path))


@dataclass(frozen=True, repr=False)
class CardTable:
    """Several cards side by side: prints as a table, in a terminal, by rich and in a notebook."""

    cards: Mapping[str, Scorecard]

    def table(self) -> "Table":
        """For rich: a column for each card."""
        from mtgan.evaluation.tables import comparison_table

        return comparison_table(self.cards)

    def __rich__(self) -> "Table":
        return self.table()

    def __repr__(self) -> str:
        return rendered(self.table())

    def _repr_html_(self) -> str:
        return rendered(self.table(), html=True)


def compare(cards: Mapping[str, Scorecard] | Sequence[Scorecard]) -> CardTable:
    """One table of several cards, a column each, as an object that prints.

    Args:
        cards: Cards by title, or a sequence of cards.

    Raises:
        UserError: Cards of unlike protocols; the sentence says what differs.
    """
    titled = cards if isinstance(cards, Mapping) else {f"{i + 1}": c for i, c in enumerate(cards)}
    if not titled:
        raise UserError("there are no cards to compare: give at least one")
    first_title, first = next(iter(titled.items()))
    for title, card in titled.items():
        if differences := first.protocol.differences(card.protocol):
            raise UserError(
                f"the cards {first_title!r} and {title!r} were made by unlike protocols "
                f"({'; '.join(differences)}): evaluate both in the same way first"
            )
    return CardTable(titled)


_PAIRED = ("interval",)


def _pairs(values: dict[str, Any]) -> dict[str, Any]:
    """JSON has no tuples and no nan: turn intervals back, and a missing value into nan."""
    values = dict(values)
    for name in _PAIRED:
        if values.get(name) is not None:
            values[name] = tuple(values[name])
    if "value" in values and values["value"] is None:
        values["value"] = float("nan")
    return values


def _with_nan(values: dict[str, float | None]) -> dict[str, float]:
    return {name: float("nan") if value is None else value for name, value in values.items()}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
