"""Samples to files: one array file, one picture, or a folder of pictures."""

import csv
import math
from pathlib import Path

import numpy as np

from mtgan.data import Taxonomy
from mtgan.data.images import make_grid, save_grid
from mtgan.errors import UserError


def check_target(out: Path) -> None:
    """UserError where `out` cannot be written without losing something, or says no known form."""
    if out.suffix not in {"", ".npz", ".png"}:
        raise UserError(f"--out takes FILE.npz, FILE.png or a folder; found {out}.")
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise UserError(f"{out} exists already; name another, or remove it first.")


def export_samples(
    images: np.ndarray, labels: np.ndarray | None, taxonomy: Taxonomy, out: Path
) -> None:
    """Write images uint8 [N, C, H, W] and labels int64 [N, L] (or None) to `out`.

    FILE.npz: arrays `images` [N, H, W, C], `labels`, and the names of levels and classes; what
    load_dataset and `mtgan evaluate` read. FILE.png: one grid. Else a folder of NNNNNN.png with
    labels.csv beside them.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".npz":
        arrays = {"images": images.transpose(0, 2, 3, 1)}
        if labels is not None:
            arrays |= {"labels": labels, "level_names": np.array(taxonomy.levels)}
            for level in taxonomy.levels:
                arrays[f"class_names_{level}"] = np.array(taxonomy.classes[level])
        np.savez_compressed(out, **arrays)  # type: ignore[arg-type]
    elif out.suffix == ".png":
        save_grid(images, out, columns=math.ceil(math.sqrt(len(images))))
    else:
        out.mkdir(exist_ok=True)
        names = [f"{i:06d}.png" for i in range(len(images))]
        for name, image in zip(names, images, strict=True):
            make_grid(image[None], columns=1, scale=1, padding=0).save(out / name)
        if labels is not None:
            with (out / "labels.csv").open("w", newline="") as file:
                rows = csv.writer(file)
                rows.writerow(["file", *taxonomy.levels])
                for name, row in zip(names, labels, strict=True):
                    classes = zip(taxonomy.levels, row, strict=True)
                    rows.writerow([name, *(taxonomy.classes[level][i] for level, i in classes)])
