"""The image files of a folder, their labels and splits, before any of them is decoded."""

import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path

import numpy as np

from mtgan.data.folders.joining import Labels, divide_only, join
from mtgan.data.folders.labels import TableLabels, find_tables, in_old_order, read_labels
from mtgan.data.folders.results import refuse_results
from mtgan.data.folders.roles import assign
from mtgan.data.folders.splits import Layout, read_layout
from mtgan.data.folders.tree import Place, examples, left_out_notes, read_tree
from mtgan.data.names import chain_name, natural_key
from mtgan.data.taxonomy import Taxonomy
from mtgan.errors import UserError


@dataclass(frozen=True)
class Listing:
    """The files of a folder with their labels: rows int64 [N, L].

    generated: int64 [N], 1 and 0 where a table says that a file was generated or is real, else -1.
    strata: int64 [N, 1], the finest classes in the order of the alphabet, or [N, 0]: in this order
    the held-out fifth has always been drawn, which must stay the same one.
    """

    files: list[Path]
    rows: np.ndarray
    taxonomy: Taxonomy
    strata: np.ndarray
    generated: np.ndarray
    splits: list[str]  # of each file; "" where the folder has no splits
    notes: list[str]  # what is not read, and what was decided
    numbers: dict[str, np.ndarray]  # float32 [N], nan where missing


def list_folder(path: Path) -> Listing:
    """Files and labels of a folder, or of a table that names images beside it or below; UserError
    where there are none, or labels do not fit."""
    table = path if path.is_file() else None
    folder = path.parent if table else path
    refuse_results(path)
    tree = read_tree(folder)
    told: list[str] = []
    if table:
        if not tree.pictures:
            raise UserError(
                f"{table} names image files, and there are none in {folder}; put them beside it or "
                "into folders below, or, if one of its columns holds strings that are to be "
                f"generated, name it: {table},column=NAME."
            )
        named = read_labels([table], folder, _paths(folder, tree.pictures)).row_of >= 0
        if not named.all():
            others = [place for place, own in zip(tree.pictures, named, strict=True) if not own]
            told.append(f"{table.name} does not name {examples(others)}: not read.")
        tree.pictures = list(compress(tree.pictures, named))
    layout = read_layout(tree.pictures, tree.folders)
    if not layout.kept:
        notes = [*layout.notes, *left_out_notes(tree.left_out)]
        raise UserError(
            f"{folder} holds no images; name a folder of class/x.jpg, or images beside a "
            f"labels.csv. {' '.join(notes)}".strip()
        )
    files = _paths(folder, [tree.pictures[i] for i in layout.kept])
    in_classes = len(set(layout.places)) > 1
    tables, about = ([table], []) if table else find_tables(folder, files, in_classes)
    generated, splits = np.full(len(files), -1), layout.splits
    numbers: dict[str, np.ndarray] = {}
    if tables:
        everything = _paths(folder, tree.pictures)
        said = read_labels(tables, folder, everything).select(layout.kept)
        labels = _with_table(folder, files, layout, said, in_classes, about)
        strata = in_old_order(labels.rows[:, :1], next(iter(labels.taxonomy.classes.values()), ()))
        about += said.notes
        tree.take_out([place.relative_to(folder).parts for place in tables])
        generated, numbers = said.generated, said.numbers
        if said.splits is not None:
            splits = assign(said.splits, layout.splits, said.where, about)
    else:
        labels, strata = _from_places(folder, files, layout)
        about += layout.doubts
    notes = [*layout.notes, *told, *left_out_notes(tree.left_out), *about]
    listing = Listing(
        *(files, labels.rows, labels.taxonomy, strata, generated, splits, notes, numbers)
    )
    return listing if splits == layout.splits else _without_unread(listing)


def _paths(folder: Path, places: Iterable[Place]) -> list[Path]:
    return [folder.joinpath(*place) for place in places]


def _without_unread(listing: Listing) -> Listing:
    """The files of a listing that are of a split."""
    kept = np.flatnonzero([bool(split) for split in listing.splits])
    return replace(
        listing,
        files=[listing.files[i] for i in kept],
        rows=listing.rows[kept],
        strata=listing.strata[kept],
        generated=listing.generated[kept],
        splits=[listing.splits[i] for i in kept],
        numbers={name: values[kept] for name, values in listing.numbers.items()},
    )


def _with_table(
    folder: Path,
    files: list[Path],
    layout: Layout,
    said: TableLabels,
    in_classes: bool,
    notes: list[str],
) -> Labels:
    """The labels of a table, joined with those of folders where these are classes."""
    alone = Labels(said.rows, said.taxonomy)
    depths = {len(place) for place in layout.places if place is not None}
    if not in_classes:
        return alone
    why = ""
    if said.whole:
        why = "it lists all labels that there are"
    elif len(depths) > 1:
        why = "images lie at different depths"
    elif divide_only(layout.places):
        why = "these only divide the images"
    if why:
        name = said.table.parts[0][1].relative_to(folder)
        notes.append(f"The labels are those of {name}, and not the names of folders: {why}.")
        return alone
    folders, _ = _from_places(folder, files, layout)
    places = [file.relative_to(folder).parts for file in files]
    return join(folders, said, places, notes)


def _from_places(folder: Path, files: list[Path], layout: Layout) -> tuple[Labels, np.ndarray]:
    """Labels from the folders that files lie in, the innermost being the finest; and strata."""
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
        none = np.empty((len(files), 0), dtype=np.int64)
        return Labels(none, Taxonomy((), {}, {})), none
    places = [place and tuple(map(as_text, place)) for place in layout.places]
    finest = {place for place in places if place is not None}
    # A class is known by its whole path; it is named by its last part where that is unambiguous.
    levels, classes, parents = [], {}, {}
    prefixes_below: list[Place] = []
    for position in range(depth):
        level = chain_name(position)
        prefixes = sorted(
            {place[: depth - position] for place in finest},
            key=lambda prefix: [natural_key(part) for part in prefix],
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
    rows = taxonomy.label_rows(np.array([label_of[place] for place in places]))
    old: dict[Place | None, int] = {place: i for i, place in enumerate(sorted(finest))}
    return Labels(rows, taxonomy), np.array([[old.get(place, -1)] for place in places])


def as_text(part: str) -> str:
    """The name of a folder, as text: accents composed, bytes that are no UTF-8 as escapes."""
    text = os.fsencode(part).decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)
