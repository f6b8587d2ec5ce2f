"""What an entry of the index says."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mtgan.recipes.ranges import Part

Kind = Literal["figure", "table", "algorithm", "claim"]
Name = Annotated[str, Field(min_length=1)]
Chosen = dict[Name, dict[str, Any]]
"""A form or a rule by name, and its options: {"curves": {"values": [...]}}."""


class Asks(Part):
    """Options of a form or a rule, and what they need of a study's runs."""

    def measured(self) -> list[str]:
        """Measures of finished runs."""
        return []

    def logged(self) -> list[tuple[str, str | None]]:
        """Values over training, and over what (None: the unit of the training)."""
        return []

    def arms(self) -> list[str]:
        """Labels of the study's cells that are named."""
        return []


class Printed(Part):
    """Numbers that a source prints: a row a name (of an arm where it is one), a column each."""

    columns: Annotated[list[Name], Field(min_length=1)]
    rows: dict[str, list[float | str | None]]

    @model_validator(mode="after")
    def _rows_fit(self) -> "Printed":
        for name, row in self.rows.items():
            if len(row) != len(self.columns):
                raise ValueError(f"the row {name!r} has {len(row)} of {len(self.columns)} columns")
        return self


class Entry(Part):
    """A figure, table, algorithm or claim of a source, and what answers it.

    Attributes:
        id: DOCUMENT/NUMBER; of the index file's key.
        shows: What it shows.
        claim: What it claims, in a sentence; "" where it only shows.
        study: The shipped study whose runs answer it; "" where none is needed.
        arms: Labels of the study's cells that it shows; all of them when empty.
        draw: The form in which it is drawn.
        rule: By which its claim is judged.
        obeys: The measure by which the regime is judged: what its best arm reaches of what real
            images get there.
        levels: Label levels that the data need to have.
        differs: What of ours is not as in the source.
        printed: The source's own numbers.
        not_built: Why nothing answers it yet.
    """

    id: str = ""
    kind: Kind
    shows: Name
    claim: str = ""
    study: str = ""
    arms: list[str] = []
    draw: Chosen = {}
    rule: Chosen = {}
    obeys: str = ""
    levels: list[str] = []
    differs: str = ""
    printed: Printed | None = None
    not_built: str = ""

    @model_validator(mode="after")
    def _whole(self) -> "Entry":
        if len(self.draw) != (0 if self.not_built else 1) or len(self.rule) > 1:
            raise ValueError("an entry has one form under draw, or not_built; and at most one rule")
        if self.rule and not self.claim:
            raise ValueError("a rule judges a claim; write one")
        if self.not_built and (self.rule or self.study):
            raise ValueError("what is not built has no rule and no study")
        return self

    @property
    def built(self) -> bool:
        return not self.not_built

    @property
    def document(self) -> str:
        return self.id.partition("/")[0]

    @property
    def number(self) -> str:
        return self.id.partition("/")[2]


class Document(Part):
    """One source: its title, its file beside the others, and its entries by number."""

    title: Name
    file: Name
    entries: Annotated[dict[str, Entry], Field(min_length=1)]


def only(chosen: Mapping[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """The one name and its options."""
    [found] = chosen.items()
    return found
