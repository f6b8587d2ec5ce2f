"""Measures of arms, ours beside the source's: Tables 2.2 and 5.2, and claims."""

from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from mtgan.reproduction.forms import FORMS, Drawn, Table, with_counts
from mtgan.reproduction.schema import Asks, Name, Printed
from mtgan.studies.failures import failure_shares
from mtgan.studies.measures import title_of
from mtgan.studies.statistics import student_half_width

if TYPE_CHECKING:
    from mtgan.reproduction.material import Material

_NONE = "–"


class TableOptions(Asks):
    """measures: a column each."""

    measures: Annotated[list[Name], Field(min_length=1)]

    def measured(self) -> list[str]:
        return self.measures


class Measures:
    """A row for each arm, a column for each measure: mean and half of its 95 % interval."""

    options = TableOptions

    def draw(self, options: TableOptions, material: "Material") -> Drawn:
        columns = [title_of(measure) for measure in options.measures]
        rows = {
            arm: tuple(mean(material.values(arm, measure)) for measure in options.measures)
            for arm in material.arms
        }
        return with_counts(beside(columns, rows, material.entry.printed))


class GridOptions(Asks):
    """Cells whose labels are "COLUMN / ROW": one measure of each."""

    measure: Name
    columns: Annotated[list[Name], Field(min_length=1)]
    rows: Annotated[list[Name], Field(min_length=1)]

    def measured(self) -> list[str]:
        return [self.measure]

    def arms(self) -> list[str]:
        return [f"{column} / {row}" for column in self.columns for row in self.rows]


class Grid:
    """One measure over two things that vary."""

    options = GridOptions

    def draw(self, options: GridOptions, material: "Material") -> Drawn:
        rows = {
            row: tuple(
                mean(material.values(f"{column} / {row}", options.measure))
                for column in options.columns
            )
            for row in options.rows
        }
        return with_counts(beside(options.columns, rows, material.entry.printed))


class Failures:
    """How often the runs of each of the study's arms fail (`failure` of a study)."""

    options = Asks

    def draw(self, options: Asks, material: "Material") -> Drawn:
        rows = [
            (
                *(share.arm, f"{share.failed} of {share.runs}", str(share.diverged)),
                f"{share.interval[0]:.0%} to {share.interval[1]:.0%}",
            )
            for share in failure_shares(material.study)
        ]
        return with_counts(Table(("arm", "failed", "of these diverged", "95 % interval"), rows))


def mean(values: np.ndarray) -> str:
    """Mean and half of Student's 95 % interval, as text."""
    if not len(values):
        return _NONE
    half = student_half_width(values)
    return f"{values.mean():.4g}" + ("" if np.isnan(half) else f" ± {half:.2g}")


def beside(columns: list[str], rows: dict[str, tuple[str, ...]], printed: Printed | None) -> Table:
    """Rows of ours, with those that the source prints under the same names at their right."""
    if printed is None:
        return Table(("", *columns), [(name, *row) for name, row in rows.items()])
    titles = ("", *(f"{name}, ours" for name in columns))
    titles += tuple(f"{name}, source" for name in printed.columns)
    names = [*rows, *(name for name in printed.rows if name not in rows)]
    nothing, unprinted = (_NONE,) * len(columns), [None] * len(printed.columns)
    return Table(
        titles,
        [
            (name, *rows.get(name, nothing), *map(shown, printed.rows.get(name, unprinted)))
            for name in names
        ],
    )


def printed_beside(material: "Material") -> Table | None:
    """What the source prints, for the side of a figure; None where it prints nothing."""
    printed = material.entry.printed
    if printed is None:
        return None
    titles = ("", *(f"{name}, source" for name in printed.columns))
    return Table(titles, [(name, *map(shown, row)) for name, row in printed.rows.items()])


def shown(value: float | str | None) -> str:
    return _NONE if value is None else f"{value:g}" if isinstance(value, float | int) else value


FORMS.register("table")(Measures())
FORMS.register("grid")(Grid())
FORMS.register("failures")(Failures())
