"""A folder of images as a data set: nested folders, a CSV, or a dataset.json say the labels.

class/x.jpg                      one label level, fine
superclass/class/x.jpg           a taxonomy: fine and coarse (and so on, to any depth)
train/..., test/...              splits of the set's own (see mtgan.data.splits)
x.jpg ... and labels.csv         file, then one column per label level
x.jpg ... and dataset.json       {"labels": [["x.jpg", 3], ...]} or {"x.jpg": {level: class}}
"""

import csv
import io
import json
import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtgan.data.arrays import with_found_parents
from mtgan.data.dataset import Dataset, taxonomy_of
from mtgan.data.pictures import Header, Refusal, attempt_all, decode, read_header
from mtgan.data.sources import HELD_OUT_NOTE, Request, held_out_rows
from mtgan.data.splits import Layout, read_layout
from mtgan.data.taxonomy import Taxonomy, chain_name
from mtgan.data.tree import Place, Tree, left_out_notes, read_tree
from mtgan.errors import UserError
from mtgan.limits import check_memory

_FILE_COLUMNS = ("file", "filename", "file_name", "path", "image", "name")
# Sizes that images of various sizes are brought to.
STANDARD_SIDES = (28, 32, 48, 64, 96, 128)
_DOING = "reading images"


@dataclass(frozen=True)
class Listing:
    """The files of a folder with their labels: rows int64 [N, L]."""

    files: list[Path]
    rows: np.ndarray
    taxonomy: Taxonomy
    splits: list[str]  # of each file; "" where the folder has no splits
    notes: list[str]  # what is not read, and what was decided


@dataclass(frozen=True)
class Fit:
    """What pictures are brought to: (H, W), channels, and the values of black and white where
    their format does not say them."""

    size: tuple[int, int]
    channels: int
    span: tuple[float, float] | None = None

    def read(self, file: Path) -> np.ndarray:
        """uint8 [C, H, W] of a file."""
        return decode(file, self.size, self.channels, self.span)


def load_folder(request: Request) -> Dataset:
    """The folder request.name; its images decoded, fitted to one size, unreadable ones passed
    over (and counted in the notes)."""
    return _dataset(request, lazy=False)


def open_folder(request: Request) -> Dataset:
    """As load_folder, but the samples are decoded when they are sliced: for sets larger than
    memory, on their way into a prepared folder. Every file is decoded once beforehand, so that
    unreadable ones are known."""
    return _dataset(request, lazy=True)


class LazyImages:
    """Images that look like an array uint8 [N, C, H, W], and are decoded when indexed."""

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, files: Sequence[Path], fit: Fit) -> None:
        self.files = list(files)
        self.fit = fit

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return (len(self.files), self.fit.channels, *self.fit.size)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: Any) -> Any:
        chosen = np.arange(len(self.files))[index]
        files = [self.files[i] for i in np.atleast_1d(chosen)]
        if isinstance(index, np.ndarray):
            return LazyImages(files, self.fit)
        images = attempt_all(self.fit.read, files, _DOING)
        for file, image in zip(files, images, strict=True):
            if isinstance(image, Refusal):
                raise UserError(
                    f"{file} could be read before, and cannot be now ({image.reason}); begin anew."
                )
        return images[0] if np.ndim(chosen) == 0 else np.stack(images)  # type: ignore[arg-type]


def _dataset(request: Request, lazy: bool) -> Dataset:
    folder = Path(request.name)
    listing = list_folder(folder)
    headers = attempt_all(read_header, listing.files, "reading headers")
    fit, notes = _fit([h for h in headers if isinstance(h, Header)], request)
    chosen = np.arange(len(listing.files))
    if "test" not in listing.splits:
        # Before anything is decoded: a file that breaks later moves no other to another split.
        chosen = held_out_rows(listing.rows, request.split)
        if request.split != "all":
            notes.append(HELD_OUT_NOTE)
    elif request.split != "all":
        chosen = np.flatnonzero([split == request.split for split in listing.splits])
        if not len(chosen):
            raise UserError(
                f"{folder} has the splits {', '.join(sorted(set(listing.splits)))}, and no images "
                f"for {request.split!r}."
            )
    refused = {i: h.reason for i, h in enumerate(headers) if isinstance(h, Refusal)}
    readable = np.array([i for i in chosen if i not in refused], dtype=np.int64)
    samples, late = _read([listing.files[i] for i in readable], fit, lazy)
    refused |= {int(readable[position]): why for position, why in late.items()}
    left_out: dict[str, list[Place]] = {}
    for i in sorted(refused.keys() & set(chosen.tolist())):
        left_out.setdefault(refused[i], []).append(listing.files[i].relative_to(folder).parts)
    told = left_out_notes(left_out)
    if len(chosen) and not len(samples):
        raise UserError(
            f"None of the {len(chosen)} image files in {folder} can be read. {' '.join(told)}"
        )
    return Dataset(
        samples,  # type: ignore[arg-type]
        listing.rows[[i for i in readable if i not in refused]],
        listing.taxonomy,
        _as_text(folder.resolve().name),
        request.split,
        notes=(*listing.notes, *notes, *told),
    )


def _read(
    files: list[Path], fit: Fit, lazy: bool
) -> tuple[np.ndarray | LazyImages, dict[int, str]]:
    """The images of those files that can be decoded; position -> reason of the others."""
    shape = (fit.channels, *fit.size)
    if not lazy:
        sides = " x ".join(map(str, shape))
        what = f"{len(files):,} images of {sides} at once (mtgan data prepare reads some at a time)"
        check_memory(what, len(files), shape)
    samples = np.empty((0 if lazy else len(files), *shape), dtype=np.uint8)
    position = {file: i for i, file in enumerate(files)}

    def read(file: Path) -> None:
        image = fit.read(file)
        if not lazy:
            samples[position[file]] = image

    refused = {
        i: result.reason
        for i, result in enumerate(attempt_all(read, files, _DOING))
        if isinstance(result, Refusal)
    }
    good = [i for i in range(len(files)) if i not in refused]
    if lazy:
        return LazyImages([files[i] for i in good], fit), refused
    return (samples[good] if refused else samples), refused


def _fit(headers: list[Header], request: Request) -> tuple[Fit, list[str]]:
    """What to bring all images to, and notes on what was chosen."""
    notes = []
    channels = request.channels
    if channels is None:
        colored = sum(header.color for header in headers)
        channels = 3 if colored else 1
        if 0 < colored < len(headers):
            notes.append(
                f"{colored:,} of {len(headers):,} images are in color: all are read as RGB "
                "(mtgan data prepare --channels 1 makes them grey)."
            )
    size = request.size
    if size is None and headers:
        size, told = _common_size(headers)
        notes += told
    spans = [header.span for header in headers if header.span]
    span = None
    if spans:
        low, high = min(low for low, _ in spans), max(high for _, high in spans)
        span = _white_for(low, high)
        notes.append(
            f"Nothing says which value is white in {len(spans):,} of {len(headers):,} images, of "
            f"floats or 32-bit integers: found are {low:g} to {high:g}, and {span[0]:g} is taken "
            f"for black, {span[1]:g} for white (store them in 8 or 16 bits to choose)."
        )
    return Fit(size or (32, 32), channels, span), notes


def _white_for(low: float, high: float) -> tuple[float, float]:
    """(black, white) for values found: 0 and the least usual white, else the values themselves."""
    white = next((white for white in (1.0, 255.0, 65535.0) if high <= white), None)
    return (low, high) if white is None or low < 0 else (0.0, white)


def _common_size(headers: list[Header]) -> tuple[tuple[int, int], list[str]]:
    """The size of all images if they have one of up to 256; else a usual one near theirs."""
    sizes = {(header.height, header.width) for header in headers}
    if len(sizes) == 1 and max(next(iter(sizes))) <= 256:
        return next(iter(sizes)), []
    middle = float(np.median([min(header.height, header.width) for header in headers]))
    side = min(STANDARD_SIDES, key=lambda s: abs(np.log(s / middle)))
    ratios = [header.width / header.height for header in headers]
    ratio = round(float(np.median(ratios)), 1)
    doubled = {2.0: (side, 2 * side), 0.5: (2 * side, side)}
    size = doubled.get(ratio, (side, side)) if np.ptp(ratios) < 0.05 else (side, side)
    return size, [
        f"The images are of {len(sizes):,} sizes, their shorter side {middle:g} pixels in "
        f"the median; they are brought to {size[0]} x {size[1]} (choose with --set "
        "data.size=...)."
    ]


# Labels


def list_folder(folder: Path) -> Listing:
    """Files and labels of a folder; UserError where there are no images, or labels do not fit."""
    tree = read_tree(folder)
    layout = read_layout(tree.pictures, tree.folders)
    source = _tables(folder, layout, tree)
    notes = [*layout.notes, *left_out_notes(tree.left_out)]
    if not layout.kept:
        raise UserError(
            f"{folder} holds no images; name a folder of class/x.jpg, or images beside a "
            f"labels.csv. {' '.join(notes)}".strip()
        )
    files = [folder.joinpath(*tree.pictures[i]) for i in layout.kept]
    if source:
        rows, taxonomy = _from_table(source, folder, files)
    else:
        rows, taxonomy = _from_places(folder, files, layout)
        notes += layout.doubts
    return Listing(files, rows, taxonomy, layout.splits, notes)


def _tables(folder: Path, layout: Layout, tree: Tree) -> tuple[Path, "Table"] | None:
    """The table of labels, with names as seen from `folder`, of the outermost folders that have
    any; it is no longer a file that is left out. Those in folders of splits count where the
    folders say no classes."""
    classes = len(set(layout.places)) > 1
    for group in layout.tables:
        if len(group) > 1 and classes:
            break
        merged: Table = {}
        paths = []
        for place in group:
            if found := _label_file(folder.joinpath(*place)):
                path, table = found
                paths.append(path)
                merged |= {"/".join((*place, name)): labels for name, labels in table.items()}
        if paths:
            for places in tree.left_out.values():
                places[:] = [p for p in places if folder.joinpath(*p) not in paths]
            return paths[0], _of_files(merged, layout, tree)
    return None


def _of_files(table: "Table", layout: Layout, tree: Tree) -> "Table":
    """The table without rows of files that are left out and counted; where no name is one of a
    file, but would be one inside a folder that wraps all others, as it is seen from there."""
    names = {"/".join(place) for place in tree.pictures}
    names |= {"/".join(place) for places in tree.left_out.values() for place in places}
    for (outer,) in (group for group in layout.tables if len(group) == 1):
        if not names.isdisjoint(inside := {"/".join((*outer, name)): name for name in table}):
            table = {seen: table[name] for seen, name in inside.items()}
            break
    kept = {"/".join(tree.pictures[i]) for i in layout.kept}
    return {name: labels for name, labels in table.items() if name in kept or name not in names}


def _from_places(folder: Path, files: list[Path], layout: Layout) -> tuple[np.ndarray, Taxonomy]:
    """Labels from the folders that files lie in, the innermost being the finest."""
    depths = {len(place) for place in layout.places if place is not None}
    if len(depths) > 1:
        odd = next(
            file
            for file, place in zip(files, layout.places, strict=True)
            if place is not None and len(place) == min(depths)
        )
        raise UserError(
            f"{folder}: images lie at different depths, as {odd.relative_to(folder)} and deeper "
            "ones; put every image into a folder of its class, at one depth."
        )
    depth = depths.pop()
    if depth == 0:
        return np.empty((len(files), 0), dtype=np.int64), Taxonomy((), {}, {})
    places = [place and tuple(map(_as_text, place)) for place in layout.places]
    finest = {place for place in places if place is not None}
    ranks = [
        {name: i for i, name in enumerate(_sorted_names({place[column] for place in finest}))}
        for column in range(depth)
    ]
    # A class is known by its whole path; it is named by its last part where that is unambiguous.
    levels, classes, parents = [], {}, {}
    prefixes_below: list[Place] = []
    for position in range(depth):
        level = chain_name(position)
        prefixes = sorted(
            {place[: depth - position] for place in finest},
            key=lambda prefix: [rank[part] for rank, part in zip(ranks, prefix, strict=False)],
        )
        short = [prefix[-1] for prefix in prefixes]
        ambiguous = len(set(short)) < len(short)
        levels.append(level)
        classes[level] = tuple("/".join(p) if ambiguous else p[-1] for p in prefixes)
        if position:
            index_of = {prefix: i for i, prefix in enumerate(prefixes)}
            parents[levels[-2]] = (level, tuple(index_of[p[:-1]] for p in prefixes_below))
        else:
            label_of: dict[Place | None, int] = {place: i for i, place in enumerate(prefixes)}
            label_of[None] = -1
        prefixes_below = prefixes
    taxonomy = Taxonomy(tuple(levels), classes, parents)
    return taxonomy.label_rows(np.array([label_of[place] for place in places])), taxonomy


def _as_text(part: str) -> str:
    """The name of a folder, as text: accents composed, bytes that are no UTF-8 as escapes."""
    text = os.fsencode(part).decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)


Table = dict[str, dict[str, str]]  # file name -> level -> class name, "" where missing


def _label_file(folder: Path) -> tuple[Path, Table] | None:
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


def _from_table(
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
