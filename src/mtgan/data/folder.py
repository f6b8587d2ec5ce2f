"""A folder of images as a data set: nested folders, a CSV, or a dataset.json say the labels.

class/x.jpg                      one label level, fine
superclass/class/x.jpg           a taxonomy: fine and coarse (and so on, to any depth)
train/..., test/...              splits of the set's own (see mtgan.data.splits)
x.jpg ... and labels.csv         file, then one column per label level
x.jpg ... and dataset.json       {"labels": [["x.jpg", 3], ...]} or {"x.jpg": {level: class}}
"""

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtgan.data.dataset import Dataset
from mtgan.data.labels import find_tables, in_old_order, read_labels
from mtgan.data.pictures import Header, Refusal, attempt_all, decode, read_header
from mtgan.data.sources import HELD_OUT_NOTE, Request, held_out_rows, register_format
from mtgan.data.splits import Layout, read_layout
from mtgan.data.taxonomy import Taxonomy, chain_name, natural_key
from mtgan.data.tree import Place, left_out_notes, read_tree
from mtgan.errors import UserError
from mtgan.limits import check_memory

# Sizes that images of various sizes are brought to.
STANDARD_SIDES = (28, 32, 48, 64, 96, 128)
_DOING = "reading images"


@dataclass(frozen=True)
class Listing:
    """The files of a folder with their labels: rows int64 [N, L].

    strata: int64 [N, 1], the finest classes in the order of the alphabet, or [N, 0]: in this order
    the held-out fifth has always been drawn, which must stay the same one.
    """

    files: list[Path]
    rows: np.ndarray
    taxonomy: Taxonomy
    strata: np.ndarray
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


@register_format("images", Path.is_dir, last=True)
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
        chosen = held_out_rows(listing.strata, request.split)
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
    if not layout.kept:
        notes = [*layout.notes, *left_out_notes(tree.left_out)]
        raise UserError(
            f"{folder} holds no images; name a folder of class/x.jpg, or images beside a "
            f"labels.csv. {' '.join(notes)}".strip()
        )
    files = [folder.joinpath(*tree.pictures[i]) for i in layout.kept]
    # Folders that are no classes leave the labels to tables that lie in them.
    tables, about_labels = find_tables(folder, files, len(set(layout.places)) > 1)
    if tables:
        rows, taxonomy, more = read_labels(tables, folder, files)
        strata = in_old_order(rows[:, :1], next(iter(taxonomy.classes.values()), ()))
        about_labels += more
        tree.take_out([table.relative_to(folder).parts for table in tables])
    else:
        rows, taxonomy, strata = _from_places(folder, files, layout)
        about_labels += layout.doubts
    notes = [*layout.notes, *left_out_notes(tree.left_out), *about_labels]
    return Listing(files, rows, taxonomy, strata, layout.splits, notes)


def _from_places(
    folder: Path, files: list[Path], layout: Layout
) -> tuple[np.ndarray, Taxonomy, np.ndarray]:
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
        return none, Taxonomy((), {}, {}), none
    places = [place and tuple(map(_as_text, place)) for place in layout.places]
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
    return rows, taxonomy, np.array([[old.get(place, -1)] for place in places])


def _as_text(part: str) -> str:
    """The name of a folder, as text: accents composed, bytes that are no UTF-8 as escapes."""
    text = os.fsencode(part).decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)
