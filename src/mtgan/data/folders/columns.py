"""What the cells of a column of labels mean: which classes there are, and what is missing."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from mtgan.data.levels import one_hot, one_hot_note
from mtgan.data.names import chain_name, class_map, name_fault, natural_order
from mtgan.errors import UserError

NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?")
_WHOLE = re.compile(r"[-+]?[0-9]+(\.0*)?")
_MINUS_ONE = re.compile(r"-1(\.0*)?")
_NOTHING = {"nan", "na", "n/a", "none", "null"}
_ONES, _ZEROS = {"1", "1.0", "true", "True", "TRUE"}, {"0", "0.0", "false", "False", "FALSE"}

Where = Callable[[int], str]
Column = tuple[list[str], np.ndarray]
"""Class names, and int64 [R], the class of each row, -1 where missing."""


def read_column(level: str, cells: Sequence[str], where: Where, notes: list[str]) -> Column:
    """The classes of the cells of one level, "" where a label is missing.

    Args:
        level: What the column is called.
        cells: One of each row, blanks about them left out, accents composed.
        where: Says of a row where it stands, for messages.
        notes: Sentences about what is read otherwise than it stands there are added to it.

    Raises:
        UserError: A class that is written in two ways, -1 as a class, names that cannot be.
    """
    first: dict[str, int] = {}  # the first row of each name
    for row, cell in enumerate(cells):
        first.setdefault(cell, row)
    first.pop("", None)
    missing = _minus_one(level, first, where, notes) | _words_for_nothing(level, first, notes)
    for name in missing:
        del first[name]
    for name, row in first.items():
        if fault := name_fault(name):
            raise UserError(f"{where(row)}: a class cannot be called {name!r}: {fault}.")
    _check_spelling(level, first, where)
    names = natural_order(first)
    if len(names) == len(cells) >= 10:
        notes.append(
            f"Every file has a class of its own in the column {level!r}; if it is an index, leave "
            "it out."
        )
    place = {name: i for i, name in enumerate(names)}
    return names, np.array([place.get(cell, -1) for cell in cells], dtype=np.int64)


def _minus_one(level: str, first: Mapping[str, int], where: Where, notes: list[str]) -> set[str]:
    """The cells that say -1, which means a missing label here as it does in arrays."""
    found = {name for name in first if _MINUS_ONE.fullmatch(name)}
    if not found:
        return found
    others = set(first) - found
    if others <= _ONES or any(re.fullmatch(r"-[0-9.]+", name) for name in others):
        raise UserError(
            f"{where(first[min(found)])}: the column {level!r} holds -1, which means a "
            "missing label, beside what makes it look like a class; name the classes otherwise "
            "(no and yes, say), or leave the cells of missing labels empty."
        )
    notes.append(f"-1 in the column {level!r} means a missing label.")
    return found


def _words_for_nothing(level: str, first: Mapping[str, int], notes: list[str]) -> set[str]:
    """The cells that say nan or the like, where all others are numbers."""
    found = {name for name in first if name.lower() in _NOTHING}
    if not found:
        return found
    words = ", ".join(sorted(found))
    if all(NUMBER.fullmatch(name) for name in set(first) - found):
        notes.append(f"{words} in the column {level!r} means a missing label.")
        return found
    notes.append(
        f"{words} in the column {level!r} is read as a class; where it means a missing label, "
        "leave the cells empty."
    )
    return set()


def _check_spelling(level: str, first: Mapping[str, int], where: Where) -> None:
    """UserError where one class is written in two ways, as 2 and 2.0, or whole numbers are."""
    known: dict[Any, str] = {}
    for name in first:
        text = unicodedata.normalize("NFKC", name)
        key = Decimal(text) if NUMBER.fullmatch(text) else text
        if known.setdefault(key, name) != name:
            raise _two_ways(level, first, name, known[key], where)
    if all(_WHOLE.fullmatch(name) for name in first):
        plain = next((name for name in first if "." not in name), None)
        pointed = next((name for name in first if "." in name), None)
        if plain and pointed:
            raise _two_ways(level, first, pointed, plain, where)


def _two_ways(
    level: str, first: Mapping[str, int], name: str, other: str, where: Where
) -> UserError:
    return UserError(
        f"{where(first[name])}: the column {level!r} holds {name!r}, and {other!r} in "
        f"{where(first[other])}; write its classes in one way."
    )


def join_one_hot(columns: dict[str, Column], notes: list[str]) -> dict[str, Column]:
    """One level instead of columns of zeros and ones of which each row has one one."""
    binary = {
        level: np.array([name in _ONES for name in names] + [False])[labels]
        for level, (names, labels) in columns.items()
        if names and set(names) <= _ONES | _ZEROS and (labels >= 0).all()
    }
    classes = one_hot(np.stack(list(binary.values()), axis=1)) if len(binary) > 1 else None
    if classes is None:
        return columns
    own = list(binary)
    # The levels of a list in JSON have no names of their own.
    named = own != [chain_name(i) for i in range(len(own))]
    titles = own if named else [str(i) for i in range(len(own))]
    names = natural_order(titles)
    level = next(n for n in (chain_name(0), "class", *own) if n in binary or n not in columns)
    notes.append(one_hot_note(level, len(names)))
    joined: dict[str, Column] = {}
    for name, column in columns.items():
        if name not in binary:
            joined[name] = column
        else:
            joined.setdefault(level, (names, class_map(titles, names)[classes]))
    return joined
