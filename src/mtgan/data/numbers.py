"""Numbers as labels: an angle, an age, a price beside the classes of a sample, nan where missing.

A column of numbers is float32 [N]. In training it travels with the label rows as int64: in how
many of STEPS steps from the least to the largest number of the training data it lies, -1 where it
is missing. A millionth of the range is less than anything that a network tells apart.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mtgan.data.names import clean_name, name_fault
from mtgan.errors import UserError

STEPS = 1_000_000
MARK = ":number"
"""Ends the name of a column of a table that holds numbers: `angle:number`."""
_MISSING = {"", "nan", "na", "n/a", "none", "null"}


@dataclass(frozen=True)
class NumberRange:
    """The least and the largest number of the training data."""

    low: float
    high: float

    @classmethod
    def of(cls, values: np.ndarray) -> "NumberRange":
        """Of numbers [N]; (0, 0) where all are missing."""
        known = values[~np.isnan(values)]
        return cls(float(known.min()), float(known.max())) if len(known) else cls(0.0, 0.0)

    @property
    def width(self) -> float:
        return self.high - self.low

    def steps(self, values: np.ndarray) -> np.ndarray:
        """int64 [...]: numbers in steps of the range, those beyond it at its ends; -1 for nan."""
        shares = (np.asarray(values, dtype=np.float64) - self.low) / (self.width or 1.0)
        steps = np.rint(np.clip(np.nan_to_num(shares), 0, 1) * STEPS).astype(np.int64)
        return np.where(np.isnan(shares), -1, steps)

    def values(self, steps: np.ndarray) -> np.ndarray:
        """float32 [...]: what `steps` gave, as numbers; nan for -1."""
        values = self.low + np.asarray(steps, dtype=np.float64) / STEPS * self.width
        return np.where(np.asarray(steps) < 0, np.nan, values).astype(np.float32)

    def holds(self, value: float) -> bool:
        """Whether a number lies in the range, rounding aside."""
        slack = 1e-6 * (self.width or abs(self.low) or 1.0)
        return self.low - slack <= value <= self.high + slack

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


def check_numbers(numbers: Mapping[str, np.ndarray], count: int, levels: Sequence[str]) -> None:
    """UserError where columns of numbers are not floats [count], or are called like a level."""
    for name, values in numbers.items():
        if fault := name_fault(name, level=True):
            raise UserError(f"a number cannot be called {name!r}: {fault}.")
        if name in levels:
            raise UserError(f"{name!r} is a label level and a number; call one of them otherwise.")
        if values.shape != (count,) or values.dtype.kind != "f":
            raise UserError(
                f"the number {name!r} should be floats [{count}], nan where missing; found "
                f"{values.dtype} {list(values.shape)}."
            )
        if np.isinf(values).any():
            raise UserError(f"the number {name!r} holds infinity; make it nan where it is missing.")


def take_numbers(
    columns: dict[str, list[str]], where: Callable[[int], str]
) -> dict[str, np.ndarray]:
    """The numbers float32 [R] of a table, by name; their columns are taken out of `columns`.

    where: says of a row where it stands, for messages. UserError for a cell that is no number.
    """
    found: dict[str, np.ndarray] = {}
    for column in [name for name in columns if name.endswith(MARK)]:
        name = clean_name(column.removesuffix(MARK))
        if name in {*columns, *found} or name_fault(name, level=True):
            fault = name_fault(name, level=True) or "another column is called so"
            raise UserError(f"{where(0)}: a number cannot be called {name!r}: {fault}.")
        cells = columns.pop(column)
        values = [_value(cell, column, row, where) for row, cell in enumerate(cells)]
        found[name] = np.array(values, dtype=np.float32)
    return found


def _value(cell: str, column: str, row: int, where: Callable[[int], str]) -> float:
    if cell.lower() in _MISSING:
        return math.nan
    value = as_number(cell)
    if value is None:
        raise UserError(
            f"{where(row)}: the column {column!r} holds {cell!r}, which is no number; mend it, or "
            f"leave the cell empty where the number is missing."
        )
    return value


def as_number(said: Any) -> float | None:
    """The finite number (in the range of float32) that a text or value says; None where it says
    none."""
    try:
        value = float(said)
    except (ValueError, TypeError):
        return None
    return value if abs(value) <= float(np.finfo(np.float32).max) else None
