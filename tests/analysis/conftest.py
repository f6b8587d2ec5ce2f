"""Digits, and a small run on them, for every analysis."""

import pytest

from mtgan.data import Dataset
from mtgan.recipes import load_recipe
from mtgan.runs import train
from mtgan.training import Run
from toys import SMALL


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
