"""The result of an evaluation over several domains: a card for each."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from mtgan.errors import UserError
from mtgan.evaluation.scorecard.card import Scorecard
from mtgan.text import printable, rendered

FORMAT_OF_DOMAINS = "mtgan-domain-scorecard-1"


@dataclass(frozen=True, repr=False)
class DomainScorecard(Mapping[str, float]):
    """Scorecards by domain; a mapping from DOMAIN/METRIC to number.

    There is no overall figure of all: each domain's is in its card.
    """

    parts: Mapping[str, Scorecard]

    def __repr__(self) -> str:
        cards = ", ".join(f"{name}: {card!r}" for name, card in self.parts.items())
        return f"DomainScorecard({printable(cards)})"

    def __str__(self) -> str:
        return rendered(self.table())

    def _repr_html_(self) -> str:
        return rendered(self.table(), html=True)

    def __getitem__(self, name: str) -> float:
        domain, _, metric = name.partition("/")
        return self.parts[domain][metric]

    def __iter__(self) -> Iterator[str]:
        return (f"{domain}/{name}" for domain, card in self.parts.items() for name in card)

    def __len__(self) -> int:
        return sum(map(len, self.parts.values()))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, with the format's name."""
        cards = {name: card.to_dict() for name, card in self.parts.items()}
        return {"format": FORMAT_OF_DOMAINS, "domains": cards}

    def to_json(self) -> str:
        """JSON that `from_json` reads back into equal cards; numbers not finite are null."""
        cards = {name: json.loads(card.to_json()) for name, card in self.parts.items()}
        return json.dumps({"format": FORMAT_OF_DOMAINS, "domains": cards}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> "DomainScorecard":
        """Read what `to_json` wrote; UserError for anything else."""
        try:
            values = json.loads(text)
            if values["format"] != FORMAT_OF_DOMAINS:
                raise KeyError("format")
            cards = {name: json.dumps(card) for name, card in values["domains"].items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UserError(
                "this is no scorecard over domains of this version of mtgan: write one with "
                "`mtgan evaluate --json FILE`"
            ) from error
        return cls({name: Scorecard.from_json(card) for name, card in cards.items()})

    def noted(self, *notes: str) -> "DomainScorecard":
        """The same with more notes."""
        return DomainScorecard({name: card.noted(*notes) for name, card in self.parts.items()})

    def table(self) -> Group:
        """For rich: the tables of all domains, one under the other."""
        parts: list[RenderableType] = []
        for name, card in self.parts.items():
            parts += [Text(f"Domain {printable(name)}", style="bold"), card.table()]
        return Group(*parts)

    def picture(self, path: str | Path) -> Path:
        """Draw the cards to one image file, one under the other, and return its path."""
        from mtgan.evaluation.scorecard.picture import draw_cards

        return draw_cards(self.parts, Path(path))


AnyScorecard = Scorecard | DomainScorecard


def read_card(text: str) -> AnyScorecard:
    """The card, of one domain or several, that `to_json` wrote; UserError for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    several = isinstance(found, dict) and found.get("format") == FORMAT_OF_DOMAINS
    return DomainScorecard.from_json(text) if several else Scorecard.from_json(text)
