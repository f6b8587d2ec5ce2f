"""Labels of a folder of images in a table beside them: a CSV, or a dataset.json."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtgan.data.arrays import with_found_parents
from mtgan.data.dataset import taxonomy_of
from mtgan.data.taxonomy import Taxonomy, chain_name
from mtgan.errors import UserError

_FILE_COLUMNS = ("file", "filename", "file_name", "path", "image", "name")

Table = dict[str, dict[str, str]]  # file name -> level -> class name, "" where missing


def label_file(folder: Path) -> tuple[Path, Table] | None:
    described = folder / "dataset.json"
    if described.is_file():
        return described, _read_json(described)
    tables = sorted(folder.glob("*.csv"))
    if len(tables) > 1 and folder / "labels.csv" in tables:
        tables = [folder / "labels.csv"]
    if len(tables) > 1:
        names = ", ".join(table.name for table in tables)
        raise UserError(f"{folder} has several CSV files ({names}); name the labels labels.csv.")
    return (tables[0], _read_csv(tables[0])) if tables else None


def _read_csv(path: Path) -> Table:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not in UTF-8 ({error}); save it so.") from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = list(reader.fieldnames or [])
    if len(columns) < 2:
        raise UserError(
            f"{path} should have a header, a column with the file, and one per label level; "
            f"found the columns {columns}."
        )
    key = next((c for c in columns if c.lower() in _FILE_COLUMNS), columns[0])
    levels = [column for column in columns if column != key]
    return _by_file(
        path,
        [(row[key], {level: (row[level] or "").strip() for level in levels}) for row in reader],
    )


def _by_file(path: Path, rows: Iterable[tuple[str, dict[str, str]]]) -> Table:
    table: Table = {}
    for file, labels in rows:
        if table.setdefault(file, labels) is not labels:
            raise UserError(f"{path} names the file {file!r} twice; leave one row of it.")
    return table


def _read_json(path: Path) -> Table:
    try:
        values = json.loads(path.read_text())
    except ValueError as error:
        raise UserError(f"{path} is not valid JSON: {error}.") from error
    if isinstance(values, Mapping) and isinstance(values.get("labels"), list):
        pairs = values["labels"]
    else:
        pairs = list(values.items()) if isinstance(values, Mapping) else []
    if not pairs or not all(
        isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str)
        for pair in pairs
    ):
        raise UserError(
            f'{path} should be {{"labels": [["file", label]]}} or {{"file": {{level: class}}}}.'
        )
    return _by_file(path, [(file, _json_labels(label)) for file, label in pairs])


def _json_labels(label: Any) -> dict[str, str]:
    if isinstance(label, Mapping):
        return {str(level): "" if v is None else str(v) for level, v in label.items()}
    several = label if isinstance(label, list) else [label]
    return {chain_name(i): "" if v is None else str(v) for i, v in enumerate(several)}


def from_table(
    source: tuple[Path, Table], folder: Path, files: list[Path]
) -> tuple[np.ndarray, Taxonomy]:
    path, table = source
    relative = [file.relative_to(folder).as_posix() for file in files]
    absent = [name for name in table if name not in set(relative)]
    if absent:
        raise UserError(
            f"{path} names {len(absent)} files that are not in {folder} (the first: {absent[0]}); "
            "mend the names, or add the files."
        )
    levels = list(dict.fromkeys(level for labels in table.values() for level in labels))
    classes = {
        level: _sorted_names({row.get(level, "") for row in table.values()} - {""})
        for level in levels
    }
    index = {level: {name: i for i, name in enumerate(names)} for level, names in classes.items()}
    rows = np.array(
        [
            [index[level].get(table.get(name, {}).get(level, ""), -1) for level in levels]
            for name in relative
        ],
        dtype=np.int64,
    ).reshape(len(files), len(levels))
    return rows, with_found_parents(taxonomy_of(classes), rows)


def _sorted_names(names: set[str]) -> list[str]:
    """By number where all are numbers, else by the alphabet."""
    if all(name.lstrip("-").isdigit() for name in names):
        return sorted(names, key=int)
    return sorted(names)
