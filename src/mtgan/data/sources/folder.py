"""A folder of images as a data set: nested folders, a CSV, or a dataset.json say the labels
(mtgan.data.folders).

class/x.jpg                      one label level, fine
superclass/class/x.jpg           a taxonomy: fine and coarse (and so on, to any depth)
train/..., test/...              splits of the set's own
x.jpg ... and labels.csv         file, then one column per label level
x.jpg ... and dataset.json       {"labels": [["x.jpg", 3], ...]} or {"x.jpg": {level: class}}
class/x.jpg ... and labels.csv   both: the folders' levels, and the table's

The path of such a table is a data set, too: the images that it names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtgan.data.dataset import Dataset
from mtgan.data.folders.listing import Listing, as_text, list_folder
from mtgan.data.folders.pictures import Header, Refusal, attempt_all, decode, read_header
from mtgan.data.folders.tables import names_images
from mtgan.data.folders.tree import Place, counted, left_out_notes, show
from mtgan.data.held_out import HELD_OUT_NOTE, generated_note, held_out_rows
from mtgan.data.registry import register_format
from mtgan.data.request import Request
from mtgan.errors import UserError
from mtgan.limits import check_memory

# Sizes that images of various sizes are brought to.
STANDARD_SIDES = (28, 32, 48, 64, 96, 128)
_DOING = "reading images"


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


def is_images(path: Path) -> bool:
    """Whether a path is a folder, or a table that names images."""
    return path.is_dir() or names_images(path)


def open_folder(request: Request) -> Dataset:
    """As load_folder, but the samples are decoded when they are sliced: for sets larger than
    memory, on their way into a prepared folder. Every file is decoded once beforehand, so that
    unreadable ones are known."""
    return _dataset(request, lazy=True)


@register_format("images", is_images, last=True, lazy=open_folder)
def load_folder(request: Request) -> Dataset:
    """The folder request.name; its images decoded, fitted to one size, unreadable ones passed
    over (and counted in the notes)."""
    return _dataset(request, lazy=False)


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
    path = Path(request.name)
    folder = path.parent if path.is_file() else path
    listing = list_folder(path)
    headers = attempt_all(read_header, listing.files, "reading headers")
    fit, notes = _fit([h for h in headers if isinstance(h, Header)], request)
    generated = _generated(listing, headers, folder)
    # Before anything is decoded: a file that breaks later moves no other to another split.
    chosen = _rows_of_split(listing, generated, request.split, folder, notes)
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
    kept = [i for i in readable if i not in refused]
    return Dataset(
        samples,  # type: ignore[arg-type]
        listing.rows[kept],
        listing.taxonomy,
        as_text(folder.resolve().name),
        request.split,
        notes=(*listing.notes, *notes, *told),
        generated=generated[kept] if generated.any() else None,
        numbers={name: values[kept] for name, values in listing.numbers.items()},
    )


def _generated(listing: Listing, headers: Sequence[Header | Refusal], folder: Path) -> np.ndarray:
    """bool [N]: whether each file was generated, by the table, or by the mark of `mtgan sample`."""
    marked = np.array([isinstance(h, Header) and h.generated for h in headers], dtype=bool)
    if (odd := np.flatnonzero(marked & (listing.generated == 0))).size:
        file = listing.files[odd[0]].relative_to(folder)
        raise UserError(
            f"The table of labels says that {show(file.parts)} is real, and the file says that "
            f"mtgan sample wrote it ({counted(len(odd), 'file')} so); mend the table."
        )
    return marked | (listing.generated == 1)


def _rows_of_split(
    listing: Listing, generated: np.ndarray, split: str, folder: Path, notes: list[str]
) -> np.ndarray:
    """The positions of a split's files; generated ones among real ones are for training alone."""
    apart = generated if not generated.all() else np.zeros_like(generated)
    if "test" not in listing.splits:
        chosen = held_out_rows(listing.strata, split, apart)
        if split != "all":
            notes.append(HELD_OUT_NOTE)
    elif split == "all":
        chosen = np.arange(len(listing.files))
    else:
        chosen = np.flatnonzero([own == split for own in listing.splits])
        made = apart[chosen]
        if split == "test" and made.any():
            notes.append(f"Test images are real: {made.sum():,} generated ones are not read.")
            chosen = chosen[~made]
        if not len(chosen):
            raise UserError(
                f"{folder} has the splits {', '.join(sorted(set(listing.splits)))}, and no "
                f"{'real ' if made.any() else ''}images for {split!r}."
            )
    if split != "test" and apart[chosen].any():
        notes.append(generated_note(int(apart[chosen].sum()), len(chosen)))
    return chosen


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
