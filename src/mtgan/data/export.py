"""Samples to files, each whole or not at all: one array file, one picture, a folder of pictures."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import IO

import numpy as np

from mtgan.data.dataset import Dataset
from mtgan.data.folders.roles import GENERATED, REAL, SOURCE_COLUMNS
from mtgan.data.folders.tables import FILE_COLUMNS
from mtgan.data.images import MARK_GENERATED, marked, save_grid, to_image
from mtgan.data.numbers import MARK
from mtgan.data.taxonomy import Taxonomy
from mtgan.errors import UserError
from mtgan.files import new_folder, replacing
from mtgan.text import file_name

IMAGE_ENDINGS = (".npz", ".png", "")
"""What files of images may end in; "" is a folder."""


def check_target(out: Path, endings: Sequence[str] = IMAGE_ENDINGS) -> None:
    """UserError where `out` cannot be written without losing something, or ends in no `endings`."""
    if not out.name or out.suffix.lower() not in endings:
        forms = [f"FILE{ending}" if ending else "a folder" for ending in endings]
        forms[-2:] = [" or ".join(forms[-2:])]
        raise UserError(f"--out takes {', '.join(forms)}; found {out}.")
    if out.is_symlink() or out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise UserError(f"{out} exists already; name another, or remove it first.")


def export_samples(
    images: np.ndarray,
    labels: np.ndarray | None,
    taxonomy: Taxonomy,
    out: Path,
    numbers: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> None:
    """Write images uint8 [N, C, H, W], labels int64 [N, L] (or None) and numbers [N] to `out`.

    FILE.npz: arrays `images` [N, H, W, C], `labels`, the names of levels and classes, and
    `generated`; what load_dataset and `mtgan evaluate` read. FILE.png: one grid. Else a folder of
    NNNNNN.png with labels.csv beside them, a missing label (-1) being an empty cell; its last
    column says that they are generated, and so does each picture itself. UserError where anything
    cannot be written; nothing half-written is left.
    """
    suffix = out.suffix.lower()
    if suffix == ".npz":
        # Given a path, numpy would add an ending of its own to .NPZ.
        with replacing(out) as temporary, temporary.open("wb") as file:
            write_npz(images, labels, taxonomy, file, numbers)
    elif suffix == ".png":
        with replacing(out) as temporary:
            save_grid(images, temporary, columns=math.ceil(math.sqrt(len(images))))
    else:
        with new_folder(out) as folder:
            names = [f"{i:06d}.png" for i in range(len(images))]
            for name, image in zip(names, images, strict=True):
                to_image(image).save(folder / name, pnginfo=marked(MARK_GENERATED))
            sources = [GENERATED] * len(names)
            _write_labels(names, labels, taxonomy, numbers, sources, folder / "labels.csv")


def export_folder(parts: Mapping[str, Dataset], folder: Path) -> None:
    """Write data sets of one taxonomy into a folder that is there, as load_dataset reads it.

    parts: by split, "train" or "test". Images are SPLIT/CLASS/real-NNNNNN.png of the finest level's
    class (without a folder of their own where that is missing), and generated-NNNNNN.png, which are
    also marked in themselves. labels.csv has all levels and numbers, and says the source of each.
    """
    names, sources = [], []
    for split, data in parts.items():
        classes = data.taxonomy.classes[data.taxonomy.levels[0]]
        made = np.zeros(len(data), bool) if data.generated is None else data.generated
        for i, (place, generated) in enumerate(zip(data.labels[:, 0], made, strict=True)):
            source = GENERATED if generated else REAL
            inside = f"{file_name(classes[place])}/" if place >= 0 else ""
            name = f"{split}/{inside}{source}-{i:06d}.png"
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            mark = marked(MARK_GENERATED) if generated else None
            to_image(np.asarray(data.samples[i])).save(target, pnginfo=mark)
            names.append(name)
            sources.append(source)
    sets = list(parts.values())
    labels = np.concatenate([data.labels for data in sets])
    numbers = {
        name: np.concatenate([data.numbers[name] for data in sets]) for name in sets[0].numbers
    }
    _write_labels(names, labels, sets[0].taxonomy, numbers, sources, folder / "labels.csv")


def write_npz(
    images: np.ndarray,
    labels: np.ndarray | None,
    taxonomy: Taxonomy,
    file: IO[bytes],
    numbers: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> None:
    """Write the arrays of `export_samples`'s FILE.npz to an open file."""
    made = np.ones(len(images), dtype=bool)
    arrays = {"images": images.transpose(0, 2, 3, 1), "generated": made}
    if labels is not None:
        arrays |= {"labels": labels, "level_names": np.array(taxonomy.levels, dtype=str)}
        for level in taxonomy.levels:
            arrays[f"class_names_{level}"] = np.array(taxonomy.classes[level], dtype=str)
    if numbers:
        arrays["numbers"] = np.stack(list(numbers.values()), axis=1)
        arrays["number_names"] = np.array(list(numbers), dtype=str)
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _write_labels(
    names: Sequence[str],
    labels: np.ndarray | None,
    taxonomy: Taxonomy,
    numbers: Mapping[str, np.ndarray],
    sources: Sequence[str],
    path: Path,
) -> None:
    levels = taxonomy.levels if labels is not None else ()
    taken = {level.lower() for level in levels}
    files = next(name for name in FILE_COLUMNS if name not in taken)
    source = next(name for name in SOURCE_COLUMNS if name not in taken)
    rows = labels.tolist() if labels is not None else [[]] * len(names)
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow([files, *levels, *(f"{name}{MARK}" for name in numbers), source])
        for i, (name, row) in enumerate(zip(names, rows, strict=True)):
            cells = zip(levels, row, strict=True)
            classes = (taxonomy.classes[level][k] if k >= 0 else "" for level, k in cells)
            found = ("" if np.isnan(v[i]) else str(v[i]) for v in numbers.values())
            lines.writerow([name, *classes, *found, sources[i]])
