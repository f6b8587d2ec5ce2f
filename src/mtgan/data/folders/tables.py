"""One table of labels as it stands: a CSV or TSV file, or a dataset.json."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from mtgan.data.folders.pictures import ENDINGS
from mtgan.data.folders.roles import GENERATED, REAL, SOURCE_COLUMNS
from mtgan.data.names import chain_name, clean_name, name_fault
from mtgan.errors import UserError
from mtgan.files import read_json, read_text

TABLE_ENDINGS = (".csv", ".tsv")
# What the column of files may be called (also name, after these); the first column else.
FILE_COLUMNS = ("file", "filename", "file_name", "path", "image")
_DELIMITERS = ",;\t"
_LARGEST = 1 << 29  # bytes: some ten million rows
_BEGINNING = 1 << 16  # bytes that tell what a table is about
_LOOKED_AT = 100  # rows that tell which column names the files


class Read(NamedTuple):
    """One table as it stands: (place, file, cells) of each row, and what a place is called.

    whole: whether it is a list of all labels, as StyleGAN's tools write it beside folders that
    only divide the images.
    """

    path: Path
    unit: str
    levels: list[str]
    rows: list[tuple[int, str, list[str]]]
    whole: bool = False


def read_wanted(path: Path) -> tuple[list[dict[str, str]], list[int]]:
    """The classes that samples should have, by level, of a table with a row per sample, and the
    line of each row.

    An empty cell asks for nothing; the columns that `mtgan sample` writes beside the labels (the
    file, and that it was generated) are passed over, as are blank lines. UserError where the table
    cannot be read, or contradicts itself.
    """
    columns, lines = _lines(path, lambda cell: False)
    # A level may be called so, too: the first alone is the file's.
    key = next((i for i, column in enumerate(columns) if column.lower() in FILE_COLUMNS), None)
    others = {key} if len(columns) > 1 else set()
    found = list(lines)
    for i, column in enumerate(columns):
        said = {cells[i] for _, cells in found}
        if column.lower() in SOURCE_COLUMNS and said <= {GENERATED, REAL, ""}:
            others.add(i)
    if not found:
        raise UserError(f"{path} should have a header with label levels, and a row per sample.")
    rows = [
        {columns[i]: cell for i, cell in enumerate(cells) if cell and i not in others}
        for _, cells in found
    ]
    return rows, [line for line, _ in found]


def read_csv(path: Path, is_file: Callable[[str], bool]) -> Read:
    """A CSV or TSV file with a column of files; is_file tells a file's name from a column's.

    UserError where it cannot be read, or its rows do not fit its header.
    """
    columns, lines = _lines(path, is_file)
    if len(columns) < 2:
        raise UserError(
            f"{path} should have a header, a column with the file, and one per label level; "
            f"found the columns {columns}."
        )
    first = list(islice(lines, _LOOKED_AT))
    key = _file_column(columns, [cells for _, cells in first])
    rows = []
    for line, cells in chain(first, lines):
        file = cells.pop(key)
        if not file:
            raise UserError(f"{path}, line {line}: the row names no file.")
        rows.append((line, file, cells))
    return Read(path, "line", columns[:key] + columns[key + 1 :], rows)


def _lines(
    path: Path, is_file: Callable[[str], bool]
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The columns of a CSV or TSV file, and (line, cells) of each row, as many cells as columns."""
    text = read_text(path, "The table of labels", limit=_LARGEST)
    delimiter, lines = _split(path, text)
    line, columns = next(lines, (1, []))
    _check_header(path, line, columns, is_file)

    def checked() -> Iterator[tuple[int, list[str]]]:
        for line, cells in lines:
            if len(cells) != len(columns):
                raise UserError(
                    f"{path}, line {line}: {len(cells)} cells under {len(columns)} columns; put a "
                    f'name that holds the delimiter {delimiter!r} in quotes ("crane, bird"), and '
                    "leave a missing label's cell empty."
                )
            yield line, cells

    return columns, checked()


def names_images(path: Path) -> bool:
    """Whether a .csv or .tsv file is a table that names picture files in one of its columns."""
    if path.suffix.lower() not in TABLE_ENDINGS or not path.is_file():
        return False
    try:
        lines = [cells for _, cells in _split(path, _beginning(path))[1]]
    except (OSError, UserError):
        return False  # to be refused by whoever reads it
    rows = lines[1 : 1 + _LOOKED_AT] or lines  # a header alone may be a row
    return any(_are_pictures(rows, place) for place in range(len(lines[0]) if lines else 0))


def _beginning(path: Path) -> str:
    """The first lines of a text file, of which some may be cut off."""
    with path.open("rb") as file:
        content = file.read(_BEGINNING + 1)
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = content.decode("utf-16" if wide else "utf-8-sig", errors="replace")
    if len(content) > _BEGINNING:
        text = text.rpartition("\n")[0]
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _file_column(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Which column names the files: by its own name, by what stands in it, or else the first."""
    lower = [column.lower() for column in columns]
    if lower[0] in FILE_COLUMNS:
        return 0
    places = range(len(columns))
    named = (lower.index(name) for name in FILE_COLUMNS if name in lower)
    shown = (place for place in places if _are_pictures(rows, place))
    return next(chain(named, shown, (i for i in places if lower[i] == "name")), 0)


def _are_pictures(rows: Sequence[Sequence[str]], place: int) -> bool:
    """Whether most cells of a column, of those that are not empty, end as pictures do."""
    cells = [cells[place] for cells in rows if place < len(cells) and cells[place]]
    found = sum(PurePosixPath(cell).suffix.lower() in ENDINGS for cell in cells)
    return 2 * found > len(cells)


def _split(path: Path, text: str) -> tuple[str, Iterator[tuple[int, list[str]]]]:
    """The delimiter of a table, and (line, cells) of each row that is not empty."""
    header = next((line for line in io.StringIO(text) if line.strip()), "")
    delimiter = max(_DELIMITERS, key=lambda mark: _count(header, mark))
    return delimiter, _cells(path, text, delimiter)


def _count(header: str, delimiter: str) -> int:
    """How many columns a header has under a delimiter."""
    try:
        return len(next(csv.reader([header], delimiter=delimiter), []))
    except csv.Error:
        return 0


def _check_header(
    path: Path, line: int, columns: Sequence[str], is_file: Callable[[str], bool]
) -> None:
    for place, column in enumerate(columns, 1):
        fault = name_fault(column, level=True)
        if not column or column.startswith("Unnamed: "):  # as pandas calls what had no name
            fault = "it has no name; if it is an index, leave it out"
        elif is_file(column):
            fault = "it looks like a file; give the table a header, such as file,label"
        if fault:
            raise UserError(
                f"{path}, line {line}: the {place}. column cannot be called {column!r}: {fault}."
            )
    if len(set(columns)) < len(columns):
        twice = next(column for column, count in Counter(columns).items() if count > 1)
        raise UserError(f"{path}, line {line}: two columns are called {twice!r}; rename one.")


def _cells(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of each row that is not empty, blanks about the cells left out."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True, skipinitialspace=True)
    line = 1
    try:
        for row in reader:
            cells = [clean_name(cell) for cell in row]
            if any("\n" in cell for cell in cells):
                raise csv.Error(f"a cell goes on to line {reader.line_num}")
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise UserError(
            f"{path}, line {line}: a quotation mark seems to have no partner ({error})."
        ) from error


def read_json_table(path: Path) -> Read:
    values = read_json(path, "The labels")
    pairs = values.get("labels") if isinstance(values, Mapping) else None
    whole = isinstance(pairs, list)
    if pairs is None and isinstance(values, Mapping) and "labels" in values:
        return Read(path, "entry", [], [], whole=True)
    if not isinstance(pairs, list):
        named = pairs if isinstance(pairs, Mapping) else values
        pairs = list(named.items()) if isinstance(named, Mapping) else []
    if not pairs or not all(
        isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str)
        for pair in pairs
    ):
        raise UserError(
            f'{path} should be {{"labels": [["file", label]]}} or {{"file": {{level: class}}}}.'
        )
    lengths: dict[int, int] = {}  # of lists of labels: the first entry of each
    for i, (_, label) in enumerate(pairs, 1):
        if isinstance(label, list) and lengths.setdefault(len(label), i) == i and len(lengths) > 1:
            length, first = next(iter(lengths.items()))
            raise UserError(
                f"{path}, entry {i}: {len(label)} labels, and entry {first} has {length}; write "
                "null for a missing label."
            )
    found = [_json_labels(f"{path}, entry {i}", label) for i, (_, label) in enumerate(pairs, 1)]
    levels = list(dict.fromkeys(level for labels in found for level in labels))
    rows = [
        (i, clean_name(file), [labels.get(level, "") for level in levels])
        for i, ((file, _), labels) in enumerate(zip(pairs, found, strict=True), 1)
    ]
    return Read(path, "entry", levels, rows, whole)


def _json_labels(where: str, label: Any) -> dict[str, str]:
    """Class names by level; a list's levels are called fine, coarse, top, ..."""
    if not isinstance(label, Mapping):
        several = label if isinstance(label, list) else [label]
        label = {chain_name(i): value for i, value in enumerate(several)}
    found = {}
    for level, value in label.items():
        if fault := name_fault(clean_name(level), level=True):
            raise UserError(f"{where}: a label level cannot be called {level!r}: {fault}.")
        if not isinstance(value, str | int | float | None):
            raise UserError(f"{where}: the {level!r} label should be one name; found {value!r}.")
        found[clean_name(level)] = "" if value is None else clean_name(str(value))
    return found
