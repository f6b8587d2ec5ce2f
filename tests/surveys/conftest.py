"""Small sets of samples to be judged, and surveys of them."""

from pathlib import Path

import numpy as np
import pytest

from mtgan.surveys import Survey
from mtgan.surveys.new import new_survey


def write_samples(path: Path, count: int = 400, brightness: int = 100, side: int = 8) -> Path:
    """An .npz of gray samples of two fine classes a and b."""
    random = np.random.default_rng(brightness)
    images = random.integers(0, brightness, (count, side, side), dtype=np.uint8)
    np.savez(
        path,
        images=images,
        labels=(np.arange(count) % 2)[:, None],
        level_names=np.array(["fine"]),
        class_names_fine=np.array(["a", "b"]),
    )
    return path


@pytest.fixture(scope="session")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Paths of samples by the names of their models, and of real ones."""
    folder = tmp_path_factory.mktemp("sets")
    bright = {"one": 90, "two": 120, "three": 160, "real": 250}
    count = {"real": 1600}
    return {
        name: str(write_samples(folder / f"{name}.npz", count.get(name, 400), value))
        for name, value in bright.items()
    }


def make_survey(out: Path, sets: dict[str, str], models: str = "one two", **settings) -> Survey:
    small = {"raters": 4, "trials": 12, "catch": 3, "repeats": 2, "seed": 0, **settings}
    sources = [sets[name] for name in models.split()]
    made = new_survey(out, sources, small, data=sets["real"]).survey
    assert made is not None
    return made


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory, sets: dict[str, str]) -> Survey:
    return make_survey(tmp_path_factory.mktemp("surveys") / "pairs", sets)
