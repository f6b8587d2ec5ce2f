"""How the overall figure falls with known corruptions of real images.

Two tables of docs/evaluation.md:

    python -m benchmarks.corruptions fashion-mnist-10k digits path/to/cifar10-prepared

Held-out images are the samples, at most 2,000, on classifier features. Foreign images are digits,
or clothes where the data are digits.
"""

import sys

import numpy as np

import mtgan
from mtgan.data import Dataset
from mtgan.evaluation.calibration.corruptions import corrupt_images, image_corruptions
from mtgan.evaluation.corruption_curves import foreign_images

MOST = 2000
STRENGTHS = (0.1, 0.2, 0.35, 0.6)
MISSING = (1, 2, 3, 5, 7, 9)


def overall(images: np.ndarray, held_out: Dataset, data: Dataset) -> float:
    card = mtgan.evaluate(images, data, labels=held_out.labels, corruptions=False)
    return float(card.overall)


def missing_classes(held_out: Dataset, data: Dataset) -> list[float]:
    """Of the corruption levels with so many classes missing."""
    card = mtgan.evaluate(held_out, data)
    found = {
        level.amount: level.overall
        for level in card.corruption_levels
        if level.corruption == "missing modes"
    }
    return [value for amount, value in found.items() if int(amount.split()[0]) in MISSING]


def disturbances(held_out: Dataset, data: Dataset) -> dict[str, list[float]]:
    rows = {
        name: [
            overall(corrupt_images(name, held_out.samples, strength), held_out, data)
            for strength in STRENGTHS
        ]
        for name in image_corruptions()
    }
    strange = "fashion-mnist-10k" if data.name == "digits" else "digits"
    foreign = mtgan.load_dataset(strange, size=data.shape[1:], channels=data.shape[0]).samples
    rows["foreign images"] = []
    for share in STRENGTHS:
        mixed = foreign_images(held_out.samples, foreign, share)
        rows["foreign images"].append(overall(mixed, held_out, data))
    return rows


def main() -> None:
    for name in sys.argv[1:]:
        data = mtgan.load_dataset(name)
        held_out = data.load_split("test")
        drawn = np.random.default_rng(0).permutation(len(held_out))[:MOST]  # folders are sorted
        held_out = held_out.select(np.sort(drawn))
        print(f"{data.name} ({len(held_out)})", flush=True)
        print(
            "missing classes:", *(f"{v:.2f}" for v in missing_classes(held_out, data)), flush=True
        )
        for damage, values in disturbances(held_out, data).items():
            print(f"{damage}:", *(f"{value:.2f}" for value in values), flush=True)


if __name__ == "__main__":
    main()
