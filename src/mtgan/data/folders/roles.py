"""Columns of a table that are no labels: the split of each row, and whether it was generated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mtgan.data.folders.splits import AS_TEST, split_word
from mtgan.errors import UserError

SOURCE_COLUMNS = ("source", "provenance", "origin")
GENERATED, REAL = "generated", "real"
"""What a column of these names may say; `mtgan sample` writes it beside its pictures."""

# Columns are known by what they say. These names are enough where all rows are of one split.
_SPLIT_COLUMNS = {"split", "partition", "subset"}
_FLAG_COLUMNS = {GENERATED, "is_generated", "synthetic", "is_synthetic"}
_MADE = {GENERATED, "synthetic", "fake"}
_FOUND = {REAL, "original", "photo"}
_YES, _NO = {"1", "1.0", "true", "yes"}, {"0", "0.0", "false", "no"}


@dataclass(frozen=True)
class Roles:
    """What the rows [R] of a table are, beside their labels.

    splits: train, test, eval or val of each row, "" where its cell is empty; None without such a
    column. generated: of each row 1 where it was generated, 0 where it is real, -1 where its cell
    is empty; None without such a column.
    """

    splits: list[str] | None
    generated: list[int] | None


def take_roles(columns: dict[str, list[str]], notes: list[str]) -> Roles:
    """Take the columns that are no labels out of a table's, by level; notes say which.

    A column that looks like one by its name, and says something else, stays a label level.
    """
    split = _only([name for name, cells in columns.items() if _are_splits(name, cells)], notes)
    source = _only([name for name, cells in columns.items() if _are_sources(name, cells)], notes)
    splits = generated = None
    if split is not None:
        words = [split_word(cell) for cell in columns.pop(split)]
        splits = [word.use if word else "" for word in words]
        notes.append(f"The column {split!r} says which rows are for training and which for test.")
    if source is not None:
        cells = [cell.lower() for cell in columns.pop(source)]
        generated = [-1 if not cell else int(cell in _MADE | _YES) for cell in cells]
        if 1 in generated and min(generated) < 1:
            notes.append(
                f"The column {source!r} says which images were generated (call it otherwise if it "
                "is a label)."
            )
    for name, cells in columns.items():
        odd = _odd(name, cells)
        if odd is not None:
            notes.append(
                f"The column {name!r} is read as labels, as it holds {odd!r} beside what its name "
                "promises."
            )
    return Roles(splits, generated)


def _only(names: list[str], notes: list[str]) -> str | None:
    """The first of several; the others stay label levels, and a note says so."""
    if len(names) > 1:
        others = ", ".join(map(repr, names[1:]))
        notes.append(f"{names[0]!r} has the say, and {others} is read as labels.")
    return names[0] if names else None


def _words(cells: Sequence[str], clean: Callable[[str], str] = str.lower) -> set[str]:
    return {clean(cell) for cell in cells} - {""}


def _are_splits(name: str, cells: Sequence[str]) -> bool:
    """Whether every cell is a word for a split, and they are of train and another one (or the
    column is called as one)."""
    found = [split_word(cell) for cell in _words(cells, str)]
    uses = {word.use for word in found if word and not word.rest}
    if not found or any(word is None or word.rest for word in found):
        return False
    return {"train"} < uses or name.lower() in _SPLIT_COLUMNS


def _are_sources(name: str, cells: Sequence[str]) -> bool:
    words = _words(cells)
    named = name.lower() in {*SOURCE_COLUMNS, *_FLAG_COLUMNS}
    allowed = _MADE | _FOUND | (_YES | _NO if name.lower() in _FLAG_COLUMNS else set())
    return bool(named and words and words <= allowed)


def _odd(name: str, cells: Sequence[str]) -> str | None:
    """A cell for which a column that is called as one of these, and says such words, is none."""
    if name.lower() in _SPLIT_COLUMNS:
        odd = {cell for cell in _words(cells, str) if split_word(cell) is None}
    elif name.lower() in {*SOURCE_COLUMNS, *_FLAG_COLUMNS}:
        odd = {cell for cell in _words(cells, str) if cell.lower() not in _MADE | _FOUND}
    else:
        return None
    known = _words(cells, str) - odd
    return min(odd) if odd and known else None


def assign(
    splits: Sequence[str], folders: Sequence[str], where: Callable[[int], str], notes: list[str]
) -> list[str]:
    """The split of each of N files, train or test, or "" for one that is not read.

    Args:
        splits: What a column says: train, test, eval, val or "" of each.
        folders: What folders say: train or test of each, or "" of all.
        where: Says of a file where its row stands, for messages.
        notes: Sentences on what is not read are added to it.

    Raises:
        UserError: The column says of a file another split than its folder does.
    """
    present = set(splits)
    as_test = next((use for use in AS_TEST if use in present), "test")
    found = [{"train": "train", as_test: "test"}.get(use, "") for use in splits]
    for i, (own, folder) in enumerate(zip(found, folders, strict=True)):
        if folder and splits[i] and own != folder:
            raise UserError(
                f"{where(i)}: its split is {splits[i]!r}, and the file lies in the folder for "
                f"{folder}; mend one of the two."
            )
        found[i] = folder or own
    if as_test != "test":
        notes.append(f"The rows of the split {as_test!r} serve as test.")
    for use in sorted(present - {"train", as_test}):
        count = sum(not own for own, said in zip(found, splits, strict=True) if said == use)
        which = f"of the split {use!r}" if use else "without a split in the table"
        if count:
            notes.append(f"Not read are the images {which}: {count:,}.")
    return found
