"""Labels of images in tables beside them: CSV or TSV files, or a dataset.json.

A table lies in the folder of the set, or in each of its folders of images (train/metadata.csv), and
names files relative to where it lies. What contradicts itself is an error that names the place.
"""

import csv
import io
import os
import posixpath
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from mtgan.data.arrays import with_found_parents
from mtgan.data.columns import join_one_hot, read_column
from mtgan.data.dataset import taxonomy_of
from mtgan.data.taxonomy import Taxonomy, chain_name, class_map, clean_name, name_fault
from mtgan.errors import UserError
from mtgan.files import read_json, read_text

_ENDINGS = (".csv", ".tsv")
_JSON = "dataset.json"
# Tables of these names are taken before others; others are tables in the set's own folder alone.
_NAMES = ("labels", "dataset", "metadata")
_NOT_READ = (".json", ".jsonl", ".parquet", ".xlsx", ".xls", ".ods", ".txt")
# What the column of files may be called (also name, after these); the first column else.
FILE_COLUMNS = ("file", "filename", "file_name", "path", "image")
_DELIMITERS = ",;\t"
_LARGEST = 1 << 29  # bytes: some ten million rows


class TableLabels(NamedTuple):
    """What tables say of files: rows int64 [N, L], -1 where missing, and notes on the reading."""

    rows: np.ndarray
    taxonomy: Taxonomy
    notes: list[str]


# Which tables


def find_tables(
    folder: Path, files: Sequence[Path], in_classes: bool
) -> tuple[list[Path], list[str]]:
    """The tables of labels of a folder's image files, and notes on tables that are not read.

    in_classes: whether the files lie in folders of their classes. Then tables inside count only
    where every folder of images has one. UserError where several tables are there and none is named
    as the one that is meant.
    """
    inside = {file.parent for file in files}
    around = {
        place
        for lowest in inside
        for place in (lowest, *lowest.parents)
        if place != folder and place.is_relative_to(folder)
    }
    own, notes = _table_in(folder, folder, any_name=True)
    deeper: dict[Path, Path] = {}
    for place in sorted(around):
        table, more = _table_in(place, folder, any_name=False)
        notes += more
        if table:
            deeper[place] = table
    complete = all(any(p in deeper for p in (place, *place.parents)) for place in inside)
    tables = list(deeper.values())
    if own or (in_classes and not complete):
        why = f"{own.name} has the labels" if own else "other folders of images have no table"
        notes += [f"{t.relative_to(folder)} is not read: {why}." for t in deeper.values()]
        tables = [own] if own else []
    if tables and in_classes:
        name = tables[0].relative_to(folder)
        notes.append(f"The labels are those of {name}, and not the names of folders.")
    return tables, notes


def _table_in(place: Path, folder: Path, any_name: bool) -> tuple[Path | None, list[str]]:
    """The table that lies in one folder, and notes on what is not read there."""
    tables, notes = [], []
    with os.scandir(place) as entries:
        for entry in entries:
            name = entry.name.lower()
            if name.startswith(".") or not name.endswith((*_ENDINGS, *_NOT_READ)):
                continue
            if (place / entry.name).is_dir():
                continue
            named = Path(name).stem in _NAMES
            if name.endswith(_ENDINGS) or name == _JSON:
                tables += [place / entry.name] if named or any_name else []
            elif named:
                path = (place / entry.name).relative_to(folder)
                notes.append(f"{path} is not read; save it as labels.csv if it has the labels.")
    tables.sort()
    for ranked in (*([t for t in tables if t.stem.lower() == name] for name in _NAMES), tables):
        if len(ranked) > 1:
            names = ", ".join(table.name for table in ranked)
            advice = "call the one with the labels labels.csv" if ranked is tables else "keep one"
            raise UserError(f"{place} has several tables ({names}); {advice}.")
        if ranked:
            notes += [
                f"{other.relative_to(folder)} is not read: {ranked[0].name} has the labels."
                for other in tables
                if other != ranked[0]
            ]
            return ranked[0], notes
    return None, notes


# What they say


@dataclass
class Table:
    """Rows of labels, by column, and where each stands.

    files: the row of each file, named relative to the set's folder; columns: cells by level, ""
    where missing; places: the line, or entry, of each row; parts: (first row, path, what a place
    is called there) of each table that was read.
    """

    files: dict[str, int] = field(default_factory=dict)
    columns: dict[str, list[str]] = field(default_factory=dict)
    places: list[int] = field(default_factory=list)
    parts: list[tuple[int, Path, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def where(self, row: int) -> str:
        """As "labels.csv, line 7"."""
        _, path, unit = self.parts[bisect_right(self.parts, row, key=lambda part: part[0]) - 1]
        return f"{path}, {unit} {self.places[row]}"

    def add(self, read: "_Read", prefix: str) -> None:
        """Append what was read of a table in the folder `prefix`."""
        if self.parts and list(self.columns) != read.levels:
            raise UserError(
                f"{read.path} has the columns {read.levels}, and {self.parts[0][1]} has "
                f"{list(self.columns)}; give all tables the same."
            )
        self.parts.append((len(self.places), read.path, read.unit))
        for level in read.levels:
            self.columns.setdefault(level, [])
        for place, file, cells in read.rows:
            row, name = len(self.places), _joined(prefix, file)
            self.places.append(place)
            if self.files.setdefault(name, row) != row:
                raise _twice(self, row, file, self.files[name])
            for column, cell in zip(self.columns.values(), cells, strict=True):
                column.append(cell)


class _Read(NamedTuple):
    """One table as it stands: (place, file, cells) of each row, and what a place is called."""

    path: Path
    unit: str
    levels: list[str]
    rows: list[tuple[int, str, list[str]]]


def read_labels(tables: Sequence[Path], folder: Path, files: Sequence[Path]) -> TableLabels:
    """The labels of a folder's image files by the tables that find_tables found.

    Raises:
        UserError: A table that cannot be read, contradicts itself, or names files that are not
            there.
    """
    index = _index(folder, files)
    endings = {file.suffix.lower() for file in files} - {""}
    table = Table()
    for path in tables:
        prefix = _composed(path.parent.relative_to(folder).as_posix())

        def is_file(cell: str, prefix: str = prefix) -> bool:
            return _joined(prefix, cell) in index or Path(cell).suffix.lower() in endings

        read = _read_json(path) if path.suffix.lower() == ".json" else _read_csv(path, is_file)
        if not read.levels:
            table.notes.append(f"{path.name} says that there are no labels.")
        table.add(read, prefix)
    rows = _rows_of(table, index, folder)
    columns = join_one_hot(
        {
            level: read_column(level, cells, table.where, table.notes)
            for level, cells in table.columns.items()
        },
        table.notes,
    )
    labels = np.full((len(files), len(columns)), -1, dtype=np.int64)
    for place, (_, found) in enumerate(columns.values()):
        labels[rows[rows >= 0], place] = found[rows >= 0]
    taxonomy = taxonomy_of({level: names for level, (names, _) in columns.items()})
    return TableLabels(labels, with_found_parents(taxonomy, labels), table.notes)


def in_old_order(labels: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Labels of the finest classes in the order that tables had before numbers inside of names
    counted as numbers: by number where all are numbers, else by the alphabet."""
    if all(name.lstrip("-").isdecimal() for name in names):
        return labels
    return class_map(names, sorted(names))[labels]


def read_wanted(path: Path) -> tuple[list[dict[str, str]], list[int]]:
    """The classes that samples should have, by level, of a table with a row per sample, and the
    line of each row.

    An empty cell asks for nothing; a column with the file is passed over, as are blank lines.
    UserError where the table cannot be read, or contradicts itself.
    """
    columns, lines = _lines(path, lambda cell: False)
    # A level may be called so, too: the first alone is the file's.
    key = next((i for i, column in enumerate(columns) if column.lower() in FILE_COLUMNS), None)
    file = key if len(columns) > 1 else None
    rows, places = [], []
    for line, cells in lines:
        pairs = enumerate(zip(columns, cells, strict=True))
        rows.append({level: cell for i, (level, cell) in pairs if cell and i != file})
        places.append(line)
    if not rows:
        raise UserError(f"{path} should have a header with label levels, and a row per sample.")
    return rows, places


def _read_csv(path: Path, is_file: Callable[[str], bool]) -> _Read:
    columns, lines = _lines(path, is_file)
    if len(columns) < 2:
        raise UserError(
            f"{path} should have a header, a column with the file, and one per label level; "
            f"found the columns {columns}."
        )
    lower = [column.lower() for column in columns]
    key = 0
    if lower[0] not in FILE_COLUMNS:
        key = next((lower.index(name) for name in (*FILE_COLUMNS, "name") if name in lower), 0)
    rows = []
    for line, cells in lines:
        file = cells.pop(key)
        if not file:
            raise UserError(f"{path}, line {line}: the row names no file.")
        rows.append((line, file, cells))
    return _Read(path, "line", columns[:key] + columns[key + 1 :], rows)


def _lines(
    path: Path, is_file: Callable[[str], bool]
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The columns of a CSV or TSV file, and (line, cells) of each row, as many cells as columns."""
    text = read_text(path, "The table of labels", limit=_LARGEST)
    header = next((line for line in io.StringIO(text) if line.strip()), "")
    delimiter = max(_DELIMITERS, key=lambda mark: _count(header, mark))
    lines = _cells(path, text, delimiter)
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


def _read_json(path: Path) -> _Read:
    values = read_json(path, "The labels")
    pairs = values.get("labels") if isinstance(values, Mapping) else None
    if pairs is None and isinstance(values, Mapping) and "labels" in values:
        return _Read(path, "entry", [], [])  # as StyleGAN's tools write it
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
    return _Read(path, "entry", levels, rows)


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


# Files and classes of a table


def _index(folder: Path, files: Sequence[Path]) -> dict[str, int]:
    """The position of each file by its name relative to the folder, accents composed."""
    index: dict[str, int] = {}
    root = f"{folder}/"
    for i, file in enumerate(files):
        path = str(file)
        inside = path[len(root) :] if path.startswith(root) else str(file.relative_to(folder))
        name = _composed(inside)
        if index.setdefault(name, i) != i:
            raise UserError(
                f"{folder} has two files {name!r}, with composed and with decomposed accents; a "
                "table of labels cannot tell them apart. Rename one."
            )
    return index


def _composed(path: str) -> str:
    return unicodedata.normalize("NFC", path)


def _joined(prefix: str, file: str) -> str:
    return posixpath.normpath(posixpath.join(prefix, file))


def _rows_of(table: Table, index: Mapping[str, int], folder: Path) -> np.ndarray:
    """int64 [R]: the position of each row's file; -1 for one that is there and is not read."""
    names = [
        name if name in index else posixpath.normpath(name.replace("\\", "/"))
        for name in table.files
    ]
    if index.keys().isdisjoint(names):  # perhaps as seen from a folder that wraps all others
        wrap = os.path.commonpath([posixpath.dirname(name) for name in index])
        while wrap and index.keys().isdisjoint(_joined(wrap, name) for name in names):
            wrap = posixpath.dirname(wrap)
        names = [_joined(wrap, name) for name in names]
    rows = np.array([index.get(name, -1) for name in names], dtype=np.int64)
    known = rows[rows >= 0]
    if len(np.unique(known)) < len(known):
        twice = Counter(known.tolist()).most_common(1)[0][0]
        first, second = np.flatnonzero(rows == twice)[:2].tolist()
        raise _twice(table, second, names[second], first)
    unknown = np.flatnonzero(rows < 0).tolist()
    absent = [row for row in unknown if not _lies_in(folder, names[row])]
    if absent:
        first = names[absent[0]]
        ended = next((name for name in index if name.rpartition(".")[0] == first), "")
        hint = f"write their endings, as in {ended}" if ended else "mend the names"
        raise UserError(
            f"{table.parts[0][1]} names {len(absent)} files that are not in {folder} (the first: "
            f"{first}, in {table.where(absent[0])}); {hint}, or add the files."
        )
    return rows


def _twice(table: Table, row: int, file: str, first: int) -> UserError:
    return UserError(
        f"{table.where(row)} names the file {file!r} twice, after {table.where(first)}; leave one "
        "row of it."
    )


def _lies_in(folder: Path, name: str) -> bool:
    path = PurePosixPath(name)
    try:
        inside = not path.is_absolute() and ".." not in path.parts
        return inside and (folder / path).exists() and not (folder / path).is_dir()
    except (OSError, ValueError):
        return False
