"""Small classifiers on small data."""

from pathlib import Path
from typing import Any

from mtgan.classification import ClassifierRecipe, ClassifierRun, classify, load_classifier_recipe
from toys import make_data

SMALL: dict[str, Any] = {
    "network.channels": [4, 6],
    "network.kernel": 3,
    "network.pool_after": [1, 2],
    "sharing.layers": 1,
    "training.epochs": 3,
    "training.batch_size": 8,
    "training.learning_rates": [0.05, 0.005],
    "training.checkpoint_every": 1,
}


def small(name: str, **overrides: Any) -> ClassifierRecipe:
    """A recipe at the size of the tests; keywords are keys with __ for the dot."""
    changed = {key.replace("__", "."): value for key, value in overrides.items()}
    kept = {k: v for k, v in SMALL.items() if k != "sharing.layers" or name != "stl"}
    return load_classifier_recipe(name, kept | changed)


def train(recipe: ClassifierRecipe, out: Path, **options: Any) -> ClassifierRun:
    data = options.pop("data", None) or make_data(40)
    return classify(recipe, data, out, test=make_data(20, seed=1), quiet=True, **options)
