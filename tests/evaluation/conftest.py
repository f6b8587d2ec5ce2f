"""Small real data (8 x 8 digits) and one cache for the whole test session."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mtgan.data import Dataset, Taxonomy, load_dataset


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of this session's own, so that tests neither use nor fill the user's."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MTGAN_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def digits(cache: Path) -> Dataset:
    """1,438 training digits in two label levels."""
    return load_dataset("digits")


@pytest.fixture(scope="session")
def unseen(digits: Dataset) -> Dataset:
    """359 held-out digits."""
    return digits.load_split("test")


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
