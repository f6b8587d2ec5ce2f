"""Small sets with and without labels."""

import numpy as np
import pytest

from mtgan.data import Dataset, Taxonomy


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
