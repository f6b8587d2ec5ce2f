"""A folder of a few hundred photographs with two attributes, from CIFAR-10's JPEGs.

    python -m benchmarks.photographs path/to/cifar-10-jpeg.tar.xz photographs

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

CLASSES, PER_CLASS = 8, 100
TONE, LIGHT = 16.0, 115.0  # of 255 gray levels; about half of the training images are bright


def attributes(pixels: np.ndarray) -> tuple[str, str]:
    """Tone and light of uint8 [H, W, 3]."""
    red, _, blue = pixels.reshape(-1, 3).mean(axis=0)
    tone = "red" if red > blue + TONE else "blue" if blue > red + TONE else "neutral"
    return tone, "bright" if pixels.mean() >= LIGHT else "dark"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True)  # a folder that is there is not written to
    rows = []
    with tarfile.open(args.archive) as archive:
        found = {Path(member.name): member for member in archive if member.isfile()}
        classes = sorted({path.parts[-2] for path in found if path.suffix == ".jpg"})[:CLASSES]
        for split in ("train", "test"):
            for name in classes:
                paths = sorted(p for p in found if p.parts[1] == split and p.parts[-2] == name)
                for path in paths[:PER_CLASS]:
                    file = archive.extractfile(found[path])
                    assert file is not None
                    raw = file.read()
                    target = args.out / split / f"{name}-{path.name}"
                    target.parent.mkdir(exist_ok=True)
                    target.write_bytes(raw)
                    pixels = np.asarray(Image.open(io.BytesIO(raw)).convert("RGB"))
                    rows.append([f"{split}/{target.name}", name, *attributes(pixels)])
    with (args.out / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["file", "class", "tone", "light"], *rows])
    print(f"{len(rows)} photographs of {', '.join(classes)} in {args.out}")


if __name__ == "__main__":
    main()
