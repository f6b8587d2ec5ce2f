"""Digits, and a small run on them, for every analysis."""

import pytest

from mtgan.data import Dataset, load_dataset
from mtgan.recipes import load_recipe
from mtgan.training import Run, train
from toys import SMALL


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory):
    """Classifiers and features of these tests are kept apart from the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MTGAN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def digits(cache) -> Dataset:
    """1,438 training digits, 8 x 8, of ten classes in two superclasses."""
    return load_dataset("digits")


@pytest.fixture(scope="session")
def unseen(digits: Dataset) -> Dataset:
    """359 held-out digits."""
    return digits.load_split("test")


@pytest.fixture(scope="session")
def run(digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Six iterations of a conditional recipe, with four checkpoints and three evaluations."""
    changed = {
        "training.steps": 6,
        "training.keep_checkpoints": 9,
        "training.evaluate_every": 2,
        "training.evaluate_samples": 200,
        "training.generator_batch_size": None,
    }
    recipe = load_recipe("ac-wgan-b", SMALL | changed)
    return train(recipe, digits, tmp_path_factory.mktemp("runs") / "a", quiet=True)
