"""A folder of a few hundred photographs with two attributes, from CIFAR-10's JPEGs.

    python -m benchmarks.photographs path/to/cifar-10-jpeg.tar.xz photographs
    python -m benchmarks.photographs --obeyed runs/photographs

The first 100 training images (by name) of each of the first 8 classes in alphabetical order, and
100 of the test split likewise. labels.csv: `class`; `tone`, red or blue where the mean of that
channel is more than `TONE` gray levels above the other's, else neutral; `light`, bright where the
mean of all pixels is at least `LIGHT`, else dark.
"""

import argparse
import csv
import io
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from mtgan.training import Run

CLASSES, PER_CLASS = 8, 100
TONE, LIGHT = 16.0, 115.0  # of 255 gray levels; about half of the training images are bright


def attributes(pixels: np.ndarray) -> tuple[str, str]:
    """Tone and light of uint8 [H, W, 3]."""
    red, _, blue = pixels.reshape(-1, 3).mean(axis=0)
    tone = "red" if red > blue + TONE else "blue" if blue > red + TONE else "neutral"
    return tone, "bright" if pixels.mean() >= LIGHT else "dark"


def obeyed(folder: Path, count: int = 800) -> dict[str, float]:
    """Shares of a run's samples of seed 0 that show the tone and the light they were asked for."""
    run = Run.open(folder)
    samples = run.sample(count, seed=0)
    classes = run.dataset_info.taxonomy.classes
    found = [attributes(image) for image in np.asarray(samples).transpose(0, 2, 3, 1)]
    columns = [run.dataset_info.taxonomy.levels.index(level) for level in ("tone", "light")]
    return {
        level: float(
            np.mean(
                [
                    classes[level][labels[column]] == seen[place]
                    for labels, seen in zip(samples.labels, found, strict=True)
                ]
            )
        )
        for place, (level, column) in enumerate(zip(("tone", "light"), columns, strict=True))
    }


def prepare(path: Path, out: Path) -> None:
    """The folder, from the archive."""
    out.mkdir(parents=True)  # a folder that is there is not written to
    rows = []
    with tarfile.open(path) as archive:
        found = {Path(member.name): member for member in archive if member.isfile()}
        classes = sorted({path.parts[-2] for path in found if path.suffix == ".jpg"})[:CLASSES]
        for split in ("train", "test"):
            for name in classes:
                paths = sorted(p for p in found if p.parts[1] == split and p.parts[-2] == name)
                for path in paths[:PER_CLASS]:
                    file = archive.extractfile(found[path])
                    assert file is not None
                    raw = file.read()
                    target = out / split / f"{name}-{path.name}"
                    target.parent.mkdir(exist_ok=True)
                    target.write_bytes(raw)
                    pixels = np.asarray(Image.open(io.BytesIO(raw)).convert("RGB"))
                    rows.append([f"{split}/{target.name}", name, *attributes(pixels)])
    with (out / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["file", "class", "tone", "light"], *rows])
    print(f"{len(rows)} photographs of {', '.join(classes)} in {out}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path, nargs="?")
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--obeyed", type=Path)
    args = parser.parse_args()
    if args.obeyed:
        print(", ".join(f"{level}: {share:.3f}" for level, share in obeyed(args.obeyed).items()))
    else:
        prepare(args.archive, args.out)


if __name__ == "__main__":
    main()
