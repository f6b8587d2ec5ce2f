"""A folder of images as a data set: nested folders, a CSV, or a dataset.json say the labels.

class/x.jpg                      one label level, fine
superclass/class/x.jpg           a taxonomy: fine and coarse (and so on, to any depth)
train/..., test/...              splits of the set's own (train alone: a fifth is held out)
x.jpg ... and labels.csv         file, then one column per label level
x.jpg ... and dataset.json       {"labels": [["x.jpg", 3], ...]} or {"x.jpg": {level: class}}
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from mtgan.data.dataset import Dataset
from mtgan.data.images import fit_image
from mtgan.data.labels import find_tables, in_old_order, read_labels
from mtgan.data.progress import progress
from mtgan.data.sources import HELD_OUT_NOTE, Request, held_out_rows
from mtgan.data.taxonomy import Taxonomy, chain_name, natural_key
from mtgan.errors import UserError

_SUFFIXES = {
    *(".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"),
    *(".avif", ".jp2", ".tga"),
}
# What splits are called in folders, and what we call them.
_SPLIT_FOLDERS = {"train": "train", "test": "test", "val": "test", "valid": "test"}
# Sizes that images of various sizes are brought to.
STANDARD_SIDES = (28, 32, 48, 64, 96, 128)
# Formats of pictures that are counted as unreadable and not silently left out.
_UNREAD_SUFFIXES = {
    *(".heic", ".heif", ".jxl", ".svg", ".psd", ".ico", ".eps", ".exr"),
    *(".raw", ".cr2", ".cr3", ".nef", ".arw", ".dng"),
}
# Of larger sets, sizes and channels are derived from so many files, evenly spaced.
_HEADERS = 2000
_THREADS = 8
# Files per task of a thread: for small files, handing over one by one costs more than decoding.
_TASK = 64
_GRAY = {"1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"}


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
    unread: list[Path]  # pictures of formats that are not read
    notes: list[str]  # on the tables of labels


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

    def __init__(self, files: Sequence[Path], size: tuple[int, int], channels: int) -> None:
        self.files = list(files)
        self.size = size
        self.channels = channels

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return (len(self.files), self.channels, *self.size)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: Any) -> Any:
        chosen = np.arange(len(self.files))[index]
        if np.ndim(chosen) == 0:
            return decode(self.files[int(chosen)], self.size, self.channels)
        files = [self.files[i] for i in chosen]
        if isinstance(index, np.ndarray):
            return LazyImages(files, self.size, self.channels)
        return np.stack(_map(lambda file: decode(file, self.size, self.channels), files))


def decode(file: Path, size: tuple[int, int], channels: int) -> np.ndarray:
    """uint8 [C, H, W] of an image file."""
    with Image.open(file) as image:
        return fit_image(image, size, channels)


def _map(function: Callable[[Path], Any], files: Sequence[Path]) -> list[Any]:
    # Decoders release the interpreter's lock, so that threads serve.
    tasks = [files[start : start + _TASK] for start in range(0, len(files), _TASK)]
    results: list[Any] = []
    with (
        ThreadPoolExecutor(_THREADS) as pool,
        progress("reading images", len(files)) as advance,
    ):
        for part in pool.map(lambda task: [function(file) for file in task], tasks):
            results += part
            advance(len(part))
    return results


def _dataset(request: Request, lazy: bool) -> Dataset:
    folder = Path(request.name)
    listing = list_folder(folder)
    spaced = np.linspace(0, len(listing.files) - 1, min(len(listing.files), _HEADERS)).astype(int)
    headers = _map(_header, [listing.files[i] for i in spaced])
    size, channels, notes = _derive(
        [header for header in headers if header], request.size, request.channels
    )
    notes += listing.notes
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
    files = [listing.files[i] for i in chosen]
    if lazy:
        readable = np.array(
            _map(lambda file: _try(file, size, channels) is not None, files), dtype=bool
        )
        samples: Any = LazyImages(
            [f for f, r in zip(files, readable, strict=True) if r], size, channels
        )
    else:
        pixels = _map(lambda file: _try(file, size, channels), files)
        readable = np.array([pixel is not None for pixel in pixels], dtype=bool)
        good = [pixel for pixel in pixels if pixel is not None]
        samples = np.stack(good) if good else np.empty((0, channels, *size), dtype=np.uint8)
    if files and not readable.any():
        raise UserError(f"None of the {len(files)} image files in {folder} can be read.")
    bad = [file for file, fine in zip(files, readable, strict=True) if not fine] + listing.unread
    if bad:
        shown = ", ".join(str(file.relative_to(folder)) for file in bad[:3])
        more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
        notes.append(f"{len(bad)} unreadable files were passed over: {shown}{more}.")
    return Dataset(
        samples,
        listing.rows[chosen[readable]],
        listing.taxonomy,
        folder.resolve().name,
        request.split,
        notes=tuple(notes),
    )


def _try(file: Path, size: tuple[int, int], channels: int) -> np.ndarray | None:
    try:
        return decode(file, size, channels)
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _header(file: Path) -> tuple[int, int, bool] | None:
    """(height, width, whether in color), or None where it cannot be read."""
    try:
        with Image.open(file) as image:
            sides = (image.height, image.width)
            if image.getexif().get(ExifTags.Base.Orientation, 1) >= 5:  # lies on its side
                sides = sides[::-1]
            return *sides, image.mode not in _GRAY
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _derive(
    headers: list[tuple[int, int, bool]],
    size: tuple[int, int] | None,
    channels: int | None,
) -> tuple[tuple[int, int], int, list[str]]:
    """Size and channels to bring all images to, and notes on what was chosen."""
    notes = []
    if channels is None:
        channels = 3 if any(color for *_, color in headers) else 1
    if size is None and headers:
        sizes = {(height, width) for height, width, _ in headers}
        if len(sizes) == 1 and max(next(iter(sizes))) <= 256:
            size = next(iter(sizes))
        else:
            middle = float(np.median([min(height, width) for height, width, _ in headers]))
            side = min(STANDARD_SIDES, key=lambda s: abs(np.log(s / middle)))
            ratio = float(np.median([width / height for height, width, _ in headers]))
            doubled = {2.0: (side, 2 * side), 0.5: (2 * side, side)}
            same = np.ptp([width / height for height, width, _ in headers]) < 0.05
            size = doubled.get(round(ratio, 1), (side, side)) if same else (side, side)
            notes.append(
                f"The images are of {len(sizes)} sizes, their shorter side {middle:g} pixels in "
                f"the median; they are brought to {size[0]} x {size[1]} (choose with --set "
                "data.size=...)."
            )
    return size or (32, 32), channels, notes


# Labels


def list_folder(folder: Path) -> Listing:
    """Files and labels of a folder; UserError where there are no images, or labels do not fit."""
    roots = {
        child.name: _SPLIT_FOLDERS[child.name.lower()]
        for child in sorted(folder.iterdir())
        if child.is_dir() and child.name.lower() in _SPLIT_FOLDERS
    }
    # A folder that holds nothing but one folder (as archives do) is that folder.
    children = [child for child in folder.iterdir() if not child.name.startswith(".")]
    if len(children) == 1 and children[0].is_dir() and not roots:
        inner = children[0]
        if any(c.is_dir() and c.name.lower() in _SPLIT_FOLDERS for c in inner.iterdir()):
            return list_folder(inner)
    if "train" not in roots.values():
        roots = {}
    files, splits, places = [], [], []
    unread: list[Path] = []
    for root, split in (roots or {"": ""}).items():
        unread += _files_below(folder / root, _UNREAD_SUFFIXES)
        for file in _files_below(folder / root, _SUFFIXES):
            files.append(file)
            splits.append(split)
            places.append(file.relative_to(folder / root).parts[:-1])
    if not files:
        also = f" (but {len(unread)} of formats that are not read)" if unread else ""
        raise UserError(
            f"{folder} holds no images ({', '.join(sorted(_SUFFIXES))}){also}; name a folder of "
            "class/x.jpg, or images beside a labels.csv."
        )
    tables, notes = find_tables(folder, files, any(places))
    if tables:
        rows, taxonomy, more = read_labels(tables, folder, files)
        strata = in_old_order(rows[:, :1], next(iter(taxonomy.classes.values()), ()))
        notes += more
    else:
        rows, taxonomy, strata = _from_places(folder, files, places)
    return Listing(files, rows, taxonomy, strata, splits, unread, notes)


def _files_below(folder: Path, suffixes: set[str]) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in suffixes
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _from_places(
    folder: Path, files: list[Path], places: list[tuple[str, ...]]
) -> tuple[np.ndarray, Taxonomy, np.ndarray]:
    """Labels from the folders that files lie in, the innermost being the finest; and strata."""
    depths = {len(place) for place in places}
    if len(depths) > 1:
        odd = next(f for f, p in zip(files, places, strict=True) if len(p) == min(depths))
        raise UserError(
            f"{folder}: images lie at different depths, as {odd.relative_to(folder)} and deeper "
            "ones; put every image into a folder of its class, at one depth."
        )
    depth = depths.pop()
    while depth > 1 and len({place[0] for place in places}) == 1:
        # One folder around all others, as archives have it, tells nothing apart.
        places = [place[1:] for place in places]
        depth -= 1
    if depth == 0:
        none = np.empty((len(files), 0), dtype=np.int64)
        return none, Taxonomy((), {}, {}), none
    # A class is known by its whole path; it is named by its last part where that is unambiguous.
    levels, classes, parents = [], {}, {}
    prefixes_below: list[tuple[str, ...]] = []
    for position in range(depth):
        level = chain_name(position)
        prefixes = _sorted_places({place[: depth - position] for place in places})
        short = [prefix[-1] for prefix in prefixes]
        ambiguous = len(set(short)) < len(short)
        levels.append(level)
        classes[level] = tuple("/".join(p) if ambiguous else p[-1] for p in prefixes)
        if position:
            place_of = {prefix: i for i, prefix in enumerate(prefixes)}
            index = tuple(place_of[prefix[:-1]] for prefix in prefixes_below)
            parents[levels[-2]] = (level, index)
        prefixes_below = prefixes
    taxonomy = Taxonomy(tuple(levels), classes, parents)
    finest = _sorted_places(set(places))
    index_of = {place: i for i, place in enumerate(finest)}
    rows = taxonomy.label_rows(np.array([index_of[place] for place in places]))
    old = {place: i for i, place in enumerate(sorted(finest))}
    return rows, taxonomy, np.array([[old[place]] for place in places])


def _sorted_places(places: set[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Part by part in the natural order of class names."""
    return sorted(places, key=lambda place: [natural_key(part) for part in place])
