"""Samples to files: one array file, one picture, or a folder of pictures."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtgan.data import Taxonomy
from mtgan.data.canvas import Domain
from mtgan.data.images import make_grid, save_grid
from mtgan.errors import UserError


def write_strings(strings: Sequence[str], out: Path) -> None:
    """One string per line, UTF-8; UserError where `out` cannot be written."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text("".join(f"{text}\n" for text in strings), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{out} could not be written ({error.strerror or error}).") from error


def export_domain(domain: Domain, canvases: np.ndarray, stem: Path) -> None:
    """Canvases of one domain as STEM.png, a grid, or STEM.txt, a string per line."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    samples = domain.read(canvases)
    if isinstance(samples, list):
        write_strings(samples, stem.with_suffix(".txt"))
    else:
        save_grid(samples, stem.with_suffix(".png"), columns=10)


def check_target(out: Path, strings: bool = False) -> None:
    """UserError where `out` cannot be written without losing something, or says no known form."""
    if strings and out.suffix not in {".txt", ".smi"}:
        raise UserError(f"--out takes FILE.txt or FILE.smi for strings; found {out}.")
    if not strings and out.suffix not in {"", ".npz", ".png"}:
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
