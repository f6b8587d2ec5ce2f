"""Labels of images in tables beside them: CSV or TSV files, or a dataset.json.

A table lies in the folder of the set, or in each of its folders of images (train/metadata.csv), and
names files relative to where it lies. What contradicts itself is an error that names the place.
"""

import os
import posixpath
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import numpy as np

from mtgan.data.folders.columns import join_one_hot, read_column
from mtgan.data.folders.roles import take_roles
from mtgan.data.folders.tables import TABLE_ENDINGS, Read, read_csv, read_json_table
from mtgan.data.levels import taxonomy_of, with_found_parents
from mtgan.data.names import class_map
from mtgan.data.numbers import take_numbers
from mtgan.data.taxonomy import Taxonomy
from mtgan.errors import UserError

_JSON = "dataset.json"
# Tables of these names are taken before others; others are tables in the set's own folder alone.
_NAMES = ("labels", "dataset", "metadata")
_NOT_READ = (".json", ".jsonl", ".parquet", ".xlsx", ".xls", ".ods", ".txt")


@dataclass(frozen=True)
class TableLabels:
    """What tables say of N files.

    rows: int64 [N, L], -1 where missing; splits: train, test, eval or val of each file, "" where
    nothing says it, or None without such a column; generated: int64 [N], 1 and 0 where a table
    says that a file was generated or is real, -1 where nothing does; numbers: float32 [N] by name,
    nan where missing; whole: whether they are all labels that there are, whatever folders say;
    notes: on the reading; table, row_of: the rows, and int64 [N], that of each file, -1 where it
    has none.
    """

    rows: np.ndarray
    taxonomy: Taxonomy
    splits: list[str] | None
    generated: np.ndarray
    numbers: dict[str, np.ndarray]
    whole: bool
    notes: list[str]
    table: "Table"
    row_of: np.ndarray

    def where(self, file: int) -> str:
        """Where a file's row stands, as "labels.csv, line 7"."""
        return self.table.where(int(self.row_of[file]))

    def select(self, files: Sequence[int]) -> "TableLabels":
        """What they say of these files, in this order."""
        chosen = np.array(files, dtype=np.int64)
        rows = self.rows[chosen]
        return replace(
            self,
            rows=rows,
            taxonomy=with_found_parents(self.taxonomy, rows),
            splits=None if self.splits is None else [self.splits[i] for i in chosen],
            generated=self.generated[chosen],
            numbers={name: values[chosen] for name, values in self.numbers.items()},
            row_of=self.row_of[chosen],
        )


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
    return tables, notes


def _table_in(place: Path, folder: Path, any_name: bool) -> tuple[Path | None, list[str]]:
    """The table that lies in one folder, and notes on what is not read there."""
    tables, notes = [], []
    with os.scandir(place) as entries:
        for entry in entries:
            name = entry.name.lower()
            if name.startswith(".") or not name.endswith((*TABLE_ENDINGS, *_NOT_READ)):
                continue
            if (place / entry.name).is_dir():
                continue
            named = Path(name).stem in _NAMES
            if name.endswith(TABLE_ENDINGS) or name == _JSON:
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

    def add(self, read: Read, prefix: str) -> None:
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


def read_labels(tables: Sequence[Path], folder: Path, files: Sequence[Path]) -> TableLabels:
    """The labels of a folder's image files by the tables that find_tables found.

    Raises:
        UserError: A table that cannot be read, contradicts itself, or names files that are not
            there.
    """
    index = _index(folder, files)
    endings = {file.suffix.lower() for file in files} - {""}
    table, whole = Table(), False
    for path in tables:
        prefix = _composed(path.parent.relative_to(folder).as_posix())

        def is_file(cell: str, prefix: str = prefix) -> bool:
            return _joined(prefix, cell) in index or Path(cell).suffix.lower() in endings

        read = read_json_table(path) if path.suffix.lower() == ".json" else read_csv(path, is_file)
        if not read.levels:
            table.notes.append(f"{path.name} says that there are no labels.")
        whole |= read.whole
        table.add(read, prefix)
    positions = _positions(table, index, folder)
    numbers = take_numbers(table.columns, table.where)
    roles = take_roles(table.columns, table.notes)
    columns = join_one_hot(
        {
            level: read_column(level, cells, table.where, table.notes)
            for level, cells in table.columns.items()
        },
        table.notes,
    )
    # Of files [N] now, and no more of rows; the last entry of what rows say is for other files.
    row_of = np.full(len(files), -1, dtype=np.int64)
    row_of[positions[positions >= 0]] = np.flatnonzero(positions >= 0)
    labels = np.full((len(files), len(columns)), -1, dtype=np.int64)
    for place, (_, found) in enumerate(columns.values()):
        labels[:, place] = np.append(found, -1)[row_of]
    taxonomy = taxonomy_of({level: names for level, (names, _) in columns.items()})
    words = [*(roles.splits or ()), ""]
    return TableLabels(
        labels,
        with_found_parents(taxonomy, labels),
        None if roles.splits is None else [words[row] for row in row_of],
        np.array([*(roles.generated or [-1] * len(positions)), -1])[row_of],
        {name: np.append(v, np.float32("nan"))[row_of] for name, v in numbers.items()},
        whole,
        table.notes,
        table,
        row_of,
    )


def in_old_order(labels: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Labels of the finest classes in the order that tables had before numbers inside of names
    counted as numbers: by number where all are numbers, else by the alphabet."""
    if all(name.lstrip("-").isdecimal() for name in names):
        return labels
    return class_map(names, sorted(names))[labels]


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


def _positions(table: Table, index: Mapping[str, int], folder: Path) -> np.ndarray:
    """int64 [R]: the position of each row's file; -1 for one that is there and is not read.

    A name may also be the end of a path, as seen from one of the folders below, if it is the end
    of one alone; or a path as seen from one of the folders that the folder itself lies in.
    """
    below: dict[str, list[str]] = {}
    for name in index:
        below.setdefault(posixpath.basename(name), []).append(name)
    names, absent = [], []
    around = folder.resolve().parts
    for row, name in enumerate(table.files):
        if name not in index:
            name = _below(posixpath.normpath(name.replace("\\", "/")), around)
        if name not in index and not _lies_in(folder, name):
            found = [n for n in below.get(posixpath.basename(name), ()) if n.endswith(f"/{name}")]
            if len(found) > 1:
                raise UserError(
                    f"{table.where(row)} names the file {name!r}, and there are several of it "
                    f"({found[0]}, {found[1]}); write the folder before it."
                )
            absent += [] if found else [row]
            name = found[0] if found else name
        names.append(name)
    rows = np.array([index.get(name, -1) for name in names], dtype=np.int64)
    known = rows[rows >= 0]
    if len(np.unique(known)) < len(known):
        twice = Counter(known.tolist()).most_common(1)[0][0]
        first, second = np.flatnonzero(rows == twice)[:2].tolist()
        raise _twice(table, second, names[second], first)
    if absent:
        first = names[absent[0]]
        ended = next((name for name in index if name.rpartition(".")[0] == first), "")
        hint = f"write their endings, as in {ended}" if ended else "mend the names"
        raise UserError(
            f"{table.parts[0][1]} names {len(absent)} files that are not in {folder} (the first: "
            f"{first}, in {table.where(absent[0])}); {hint}, or add the files."
        )
    return rows


def _below(name: str, folder: Sequence[str]) -> str:
    """A path without those of its first parts that are the last parts of the folder's path."""
    parts = PurePosixPath(name).parts
    for count in range(min(len(parts) - 1, len(folder)), 0, -1):
        if tuple(folder[-count:]) == parts[:count]:
            return posixpath.join(*parts[count:])
    return name


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
