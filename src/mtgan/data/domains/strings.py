"""Files of strings: one per line, molecules with titles (.smi), or a column of a table."""

import csv
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mtgan.errors import UserError
from mtgan.files import read_text
from mtgan.registry import Registry

TABLES = {".csv", ".tsv"}
SUFFIXES = {".txt", ".smi", *TABLES}

_LARGEST = 4 << 30
# A column whose name has one of these words in it holds strings.
_STRING_WORDS = {"selfies", "string", "strings", "sequence", "sequences", "text", "word", "words"}
_LOOKED_AT = 100  # strings beside a first line, which tell whether it is a header
# What SMILES are written with: atoms in brackets, the common ones without, bonds, rings, branches.
_SMILES = re.compile(
    r"(?=[A-Z\[*a-z])(\[[^\[\]]+\]|Br|Cl|[BCNOPSFIbcnops*]|[-=#$:/\\.()~@+>0-9%])+"
)


@dataclass(frozen=True)
class Strings:
    """Raw strings, a class name each where they have one, how many of the first are for training
    where the source has splits of its own, and sentences about how they were read."""

    texts: list[str]
    labels: list[str] | None = None
    training: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class StringSource:
    """A set of strings that has a name: what its domain is called, and its usual length."""

    read: Callable[[Path | None], Strings]
    domain: str
    length: int | None = None


STRING_SOURCES: Registry[StringSource] = Registry("set of strings", "mtgan.data.domains.molecules")


def is_text(path: Path) -> bool:
    """Whether a path is a file of strings, by its ending; a folder that is called so is none."""
    return path.suffix.lower() in SUFFIXES and not path.is_dir()


def refuse_doubtful(path: Path) -> None:
    """UserError where a table does not tell by itself that it is one of strings: it has several
    columns, and none that is called as strings are."""
    if path.suffix.lower() not in TABLES or not path.is_file():
        return
    first = read_text(path, "The file of strings", limit=_LARGEST).lstrip("\n").partition("\n")[0]
    header = [name.strip().strip('"') for name in first.split(max(",;\t", key=first.count))]
    named = [name for name in header if name]
    # A header that looks like SMILES is refused for that by whoever reads the table.
    told = any(_is_called_strings(name) or _looks_like_smiles(name) for name in named)
    if len(named) > 1 and not told:
        column = f"{path},column={named[0]}"
        raise UserError(
            f"{path} names no images, and none of its columns ({', '.join(named)}) is called as "
            f"strings are (smiles, text, ...); say which one is to be generated, as {column!r}, or "
            "give the table a column `file` with the images beside it."
        )


def read_strings(
    path: Path, column: str | None = None, labels: str | None = None, titles: bool = True
) -> Strings:
    """One string per line, or a column of a table (.csv or .tsv; comma, semicolon or tab).

    A line of a .smi file is a molecule and, after a blank, its title; its first line is left out
    where it is a header.

    Args:
        column: Of a table, by name; when absent, the one called smiles, else one called
            text, string, sequence or word, else the first.
        labels: The column of class names.
        titles: Whether lines of a .smi file have titles; False takes the lines as they stand.

    Raises:
        UserError: A file that cannot be read as text; a column that is not there or not told from
            others; a line of more cells than columns.
    """
    text = read_text(path, "The file of strings", limit=_LARGEST)
    suffix = path.suffix.lower()
    if suffix in TABLES:
        return _read_table(text, path, column, labels)
    if column or labels:
        raise UserError(
            f"{path} is no .csv or .tsv file, so it has no column {column or labels!r}."
        )
    lines = text.removesuffix("\n").split("\n") if text else []
    return _of_molecules(lines, path, titles) if suffix == ".smi" else _plain(lines, path)


def _plain(lines: list[str], path: Path) -> Strings:
    notes = []
    # A line of another file may well be an English word: here all others have to be SMILES.
    if "smiles" in "".join(lines[:1]).lower() and _header_above(lines, all):
        notes.append(f"{path.name}: its first line, {lines.pop(0)!r}, is left out as a header.")
    if tabs := sum("\t" in line for line in lines):
        notes.append(
            f"{path.name}: {tabs} lines hold a tab and are strings as they stand; call the file "
            ".smi where a title follows a molecule, or .tsv where it has columns."
        )
    return Strings(lines, notes=tuple(notes))


def _of_molecules(lines: list[str], path: Path, titles: bool) -> Strings:
    notes = []
    if _header_above(lines, any):
        notes.append(
            f"{path.name}: its first line, {lines.pop(0)!r}, is no molecule and is left out as a "
            "header."
        )
    if titles:
        lines = [_first_word(line) for line in lines]
    return Strings(lines, notes=tuple(notes))


def _header_above(lines: list[str], enough: Callable[[Iterable[bool]], bool]) -> bool:
    """Whether the first line is no SMILES string and those after it, all or any, are some."""
    words = [word for line in lines[:_LOOKED_AT] if (word := _first_word(line))]
    looks = [_looks_like_smiles(word) for word in words]
    return len(looks) > 1 and not looks[0] and enough(looks[1:])


def _looks_like_smiles(text: str) -> bool:
    return _SMILES.fullmatch(text) is not None


def _first_word(line: str) -> str:
    return next(iter(line.split()), "")


def _read_table(text: str, path: Path, column: str | None, labels: str | None) -> Strings:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)  # the comma where there is none
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        for row in reader:
            if len(row) > len(header) and any(row[len(header) :]):
                raise UserError(
                    f"{path}, line {reader.line_num}: {len(row)} cells for {len(header)} columns; "
                    f"put a string that holds {delimiter!r} in quotes."
                )
            rows.append(row)
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num}, is no table: {error}.") from error
    if not any(header):
        raise UserError(f"{path} is empty; its first line should name its columns.")

    def values(wanted: str) -> list[str]:
        if header.count(wanted) != 1:
            count = "no column" if wanted not in header else "more than one column"
            raise UserError(f"{path} has {count} {wanted!r}; it has {', '.join(header)}.")
        place = header.index(wanted)
        return [row[place] if place < len(row) else "" for row in rows]

    chosen = column or _column(header, path)
    if not column and _looks_like_smiles(chosen) and rows:
        looked = [value for value in values(chosen)[:_LOOKED_AT] if value]
        if all(_looks_like_smiles(value.strip()) for value in looked):
            raise UserError(
                f"{path}: its first line should name its columns, and {chosen!r} looks like the "
                "strings below it; put a line of names above."
            )
    notes = [] if column else [_chosen(chosen, header, path)]
    return Strings(values(chosen), values(labels) if labels else None, notes=tuple(notes))


def _column(header: list[str], path: Path) -> str:
    """The column called smiles, else the one whose name has that in it, else one that is called
    otherwise as strings are, else the first."""
    exact = [name for name in header if name.lower() == "smiles"]
    found = exact or [name for name in header if "smiles" in name.lower()]
    if len(found) > 1:
        raise UserError(
            f"{path} has several columns of SMILES ({', '.join(found)}); choose one by column=NAME."
        )
    others = filter(_is_called_strings, header)
    return next(name for name in (*found, *others, *header) if name)


def _is_called_strings(column: str) -> bool:
    lower = column.lower()
    return "smiles" in lower or not _STRING_WORDS.isdisjoint(re.split(r"[^a-z]+", lower))


def _chosen(column: str, header: list[str], path: Path) -> str:
    others = ", ".join(name or "one without a name" for name in header if name != column)
    beside = f", beside {others}" if others else ""
    return (
        f"{path.name}: its strings are the column {column!r}{beside}; column=NAME chooses another."
    )
