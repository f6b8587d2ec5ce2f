"""The result of an evaluation: numbers with their protocol, scores between floor and ceiling.

A card holds plain values only, so that it can be written, read, compared and drawn anywhere.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Group

from mtgan.errors import UserError
from mtgan.evaluation.protocol import Protocol
from mtgan.evaluation.scorecard.tables import card_table
from mtgan.evaluation.scorecard.values import Axis, CardValues, CorruptionLevel, Entry
from mtgan.text import printable, rendered

FORMAT = "mtgan-scorecard-2"
_FIRST_FORMAT = "mtgan-scorecard-1"


@dataclass(frozen=True, repr=False)
class Scorecard(CardValues, Mapping[str, float]):
    """The result of an evaluation; a mapping from metric to number (fields: see CardValues)."""

    @property
    def parts(self) -> dict[str, "Scorecard"]:
        """This card alone, as one over several domains has its cards."""
        return {"": self}

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
            written = values.pop("format")
            if written == _FIRST_FORMAT:
                values = _renamed(values)
            elif written != FORMAT:
                raise KeyError("format")
            levels = values.pop("corruption_levels")
            card = cls(
                protocol=Protocol.from_dict(values.pop("protocol")),
                entries={k: Entry(**_pairs(v)) for k, v in values.pop("entries").items()},
                axes={k: Axis(**_pairs(v)) for k, v in values.pop("axes").items()},
                corruption_levels=tuple(CorruptionLevel(**level) for level in levels),
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

    def noted(self, *notes: str) -> "Scorecard":
        """The same with more notes."""
        return replace(self, notes=(*self.notes, *notes))

    def table(self) -> Group:
        """For rich: every number with its interval, sample size, feature space and score."""
        return card_table(self)

    def picture(self, path: str | Path) -> Path:
        """Draw axes, measures and known corruptions to an image file, and return its path."""
        from mtgan.evaluation.scorecard.picture import draw_card

        return draw_card(self, Path(path))


_PAIRED = ("interval",)


def _renamed(values: dict[str, Any]) -> dict[str, Any]:
    """A card of the first format under the names of this one."""
    levels = [
        {"corruption": level["damage"], **{k: v for k, v in level.items() if k != "damage"}}
        for level in values.pop("ladder")
    ]
    return {**values, "corruption_levels": levels}


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
