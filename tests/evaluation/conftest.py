"""Small sets with and without labels, and small feature sets."""

from collections.abc import Callable

import numpy as np
import pytest

from mtgan.data import Dataset, Taxonomy

Draw = Callable[..., np.ndarray]


@pytest.fixture
def tiny() -> Dataset:
    """64 color images of four classes in two superclasses, without another split."""
    random = np.random.default_rng(0)
    fine = np.arange(64) % 4
    images = random.integers(0, 60, (64, 3, 16, 16)) + 60 * fine[:, None, None, None]
    taxonomy = Taxonomy(
        ("fine", "coarse"),
        {"fine": ("a", "b", "c", "d"), "coarse": ("x", "y")},
        {"fine": ("coarse", (0, 0, 1, 1))},
    )
    labels = np.stack([fine, fine // 2], axis=1)
    return Dataset(images.astype(np.uint8), labels, taxonomy, name="tiny", split="all")


@pytest.fixture
def unlabeled(tiny: Dataset) -> Dataset:
    """The same images without labels."""
    none = np.empty((len(tiny), 0), dtype=np.int64)
    return Dataset(tiny.samples, none, Taxonomy((), {}, {}), name="unlabeled", split="all")


@pytest.fixture
def draw() -> Draw:
    """Standard normal features float32 [n, d], by seed."""

    def features(n: int = 300, d: int = 16, seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)

    return features


@pytest.fixture
def modes() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Features in ten well separated clusters, and the cluster of each: equally many of `kept`."""

    def features(
        n: int = 500, kept: int = 10, seed: int = 0, d: int = 8
    ) -> tuple[np.ndarray, np.ndarray]:
        centers = 6 * np.random.default_rng(99).standard_normal((10, d))
        labels = np.arange(n) % kept
        noise = np.random.default_rng(seed).standard_normal((n, d))
        return (centers[labels] + noise).astype(np.float32), labels

    return features
