"""Cards side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.table import Table
from rich.text import Text

from mtgan.errors import UserError
from mtgan.evaluation.scorecard.card import Scorecard
from mtgan.evaluation.scorecard.several import AnyScorecard
from mtgan.evaluation.scorecard.tables import comparison_table
from mtgan.text import printable, rendered


@dataclass(frozen=True, repr=False)
class CardTable:
    """Several cards side by side: prints as a table, in a terminal, by rich and in a notebook."""

    cards: Mapping[str, AnyScorecard]

    def table(self) -> Table | Group:
        """For rich: a column for each card; of cards over domains a table for each domain."""
        tables = {
            domain: comparison_table({t: card.parts[domain] for t, card in self.cards.items()})
            for domain in next(iter(self.cards.values())).parts
        }
        if "" in tables:
            return tables[""]
        titles = {domain: Text(f"Domain {printable(domain)}", style="bold") for domain in tables}
        return Group(*(part for name in tables for part in (titles[name], tables[name])))

    def __rich__(self) -> Table | Group:
        return self.table()

    def __repr__(self) -> str:
        return rendered(self.table())

    def _repr_html_(self) -> str:
        return rendered(self.table(), html=True)


def compare(cards: Mapping[str, AnyScorecard] | Sequence[AnyScorecard]) -> CardTable:
    """One table of several cards, a column each, as an object that prints.

    Args:
        cards: Cards by title, or a sequence of cards.

    Raises:
        UserError: Cards of unlike protocols or domains; the sentence says what differs.
    """
    titled = cards if isinstance(cards, Mapping) else {f"{i + 1}": c for i, c in enumerate(cards)}
    if not titled:
        raise UserError("there are no cards to compare: give at least one")
    first_title, first = next(iter(titled.items()))
    for title, card in titled.items():
        if card.parts.keys() != first.parts.keys():
            raise UserError(
                f"the cards {first_title!r} and {title!r} are of unlike domains: compare those of "
                "the same ones"
            )
        for domain, part in card.parts.items():
            _refuse_unlike(first_title, first.parts[domain], title, part)
    return CardTable(titled)


def _refuse_unlike(first_title: str, first: Scorecard, title: str, card: Scorecard) -> None:
    if differences := first.protocol.differences(card.protocol):
        raise UserError(
            f"the cards {first_title!r} and {title!r} were made by unlike protocols "
            f"({'; '.join(differences)}): evaluate both in the same way first"
        )
