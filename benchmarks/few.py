"""The picture of docs/data.md, Few images: real images and samples of each class, side by side.

python -m benchmarks.few runs/photographs docs/images/few-images.png
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from mtgan.data.images import make_grid
from mtgan.training import Run

REAL, MADE = 4, 6
HEAD, GAP = 16, 8  # pixels


def main(folder: Path, target: Path) -> None:
    """A row per class of the finest level: training images, then samples that nobody chose."""
    run = Run.open(folder)
    data = run.load_data()
    level = data.taxonomy.levels[0]
    names = data.taxonomy.classes[level]
    real, made = [], []
    for index, name in enumerate(names):
        members = np.flatnonzero(data.labels_of(level) == index)[:REAL]
        real.append(np.asarray(data.samples[members]))
        made.append(run.sample(MADE, {level: name}, seed=0))
    left = make_grid(np.concatenate(real), REAL, row_labels=names)
    right = make_grid(np.concatenate(made), MADE)
    whole = Image.new("RGB", (left.width + GAP + right.width, HEAD + left.height), "white")
    whole.paste(left, (0, HEAD))
    whole.paste(right, (left.width + GAP, HEAD))
    draw = ImageDraw.Draw(whole)
    draw.text((left.width // 3, 2), "of the training images", "black")
    draw.text((left.width + GAP, 2), "generated, seed 0", "black")
    whole.quantize(256).save(target, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
