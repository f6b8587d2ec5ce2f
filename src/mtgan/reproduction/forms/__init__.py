"""The forms in which entries are drawn: as the sources draw theirs, a file each or a few."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mtgan.registry import Registry
from mtgan.reproduction.schema import Asks

if TYPE_CHECKING:
    from mtgan.reproduction.material import Material


@dataclass(frozen=True)
class Table:
    """Columns, and rows of as many cells, as text."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Drawn:
    """What a form has made.

    Attributes:
        files: Pictures in the entry's folder.
        table: What is to be read beside them; None where there is nothing.
        notes: Sentences on what is missing.
        counts: How much is shown: curves, points, rows, columns, pictures.
    """

    files: tuple[Path, ...] = ()
    table: Table | None = None
    notes: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)


class Form(Protocol):
    """A way of drawing.

    Attributes:
        options: What an entry says of it.
    """

    @property
    def options(self) -> type[Asks]: ...

    def draw(self, options: Any, material: "Material") -> Drawn:
        """Draw an entry into its folder. UserError where runs that it needs are not there."""


FORMS: "Registry[Form]" = Registry(
    "form of a figure", "mtgan.reproduction.forms", has=("options", "draw")
)


def with_counts(table: Table) -> Drawn:
    """A table alone."""
    return Drawn(table=table, counts={"rows": len(table.rows), "columns": len(table.columns)})
