"""What judges say of fog: a table of docs/evaluation.md.

    python -m benchmarks.fog path/to/cifar-10 100 1000

For each number of images a class: samples that show no object (per class the mean and a Gaussian in
ten principal components; the mean alone; images of the first class under every label), and held-out
real images, each judged by the classifier of the data, by imagenet-lite and by what auto takes.
"""

import sys

import numpy as np

import mtgan
from mtgan.data import Dataset

COMPONENTS = 10
SPACES = ("classifier", "imagenet-lite", "auto")


def some_of_each_class(data: Dataset, per_class: int) -> Dataset:
    """The first images of every class of the finest level."""
    classes = range(data.taxonomy.num_classes(data.taxonomy.levels[0]))
    rows = [np.flatnonzero(data.labels[:, 0] == index)[:per_class] for index in classes]
    return data.select(np.sort(np.concatenate(rows)))


def fog(data: Dataset, components: int, count: int, random: np.random.Generator) -> np.ndarray:
    """`count` samples of each class [count * K, C, H, W]: its mean, components, and noise of
    one grey level."""
    parts = []
    for index in np.unique(data.labels[:, 0]):
        pixels = data.samples[data.labels[:, 0] == index].reshape(-1, data.samples[0].size)[:2000]
        mean = pixels.mean(axis=0)
        _, sizes, axes = np.linalg.svd(pixels - mean, full_matrices=False)
        spread = sizes[:components] / np.sqrt(len(pixels) - 1)
        amounts = random.standard_normal((count, components)) * spread
        parts.append(mean + amounts @ axes[:components] + random.normal(0, 1, (count, len(mean))))
    return np.concatenate(parts).clip(0, 255).astype(np.uint8).reshape(-1, *data.samples.shape[1:])


def main(name: str, sizes: list[int]) -> None:
    whole, unseen = mtgan.load_dataset(name), mtgan.load_dataset(name, "test")
    print("| images a class | samples | " + " | ".join(SPACES) + " |")
    print("|---" * (2 + len(SPACES)) + "|")
    for size in sizes:
        data = some_of_each_class(whole, size)
        data.spec = {}
        classes = np.unique(data.labels[:, 0])
        count = min(625, size // 5)
        labels = np.repeat(classes, count)
        random = np.random.default_rng(0)
        first = data.samples[data.labels[:, 0] == classes[0]]
        real = some_of_each_class(unseen, count)
        samples = {
            "fog": (fog(data, COMPONENTS, count, random), labels),
            "class means": (fog(data, 0, count, random), labels),
            "one class": (first[random.integers(0, len(first), len(labels))], labels),
            "held-out real": (real.samples, real.labels[:, 0]),
        }
        for kind, (images, asked) in samples.items():
            cells = [judged(images, asked, data, space) for space in SPACES]
            print(f"| {size:,} | {kind} | {' | '.join(cells)} |", flush=True)


def judged(images: np.ndarray, asked: np.ndarray, data: Dataset, space: str) -> str:
    rows = data.taxonomy.label_rows(asked)
    card = mtgan.evaluate(images, data, labels=rows, features=space, corruptions=False, resamples=0)
    figure = "none" if card.overall is None else f"{card.overall:.2f}"
    return f"{figure} ({card.protocol.features})" if space == "auto" else figure


if __name__ == "__main__":
    main(sys.argv[1], [int(size) for size in sys.argv[2:]])
