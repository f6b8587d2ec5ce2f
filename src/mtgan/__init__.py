"""Multitask generative adversarial networks: train them from short recipes, judge them."""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from mtgan.data import Dataset, Taxonomy, load_dataset
    from mtgan.errors import UserError
    from mtgan.evaluation import Scorecard
    from mtgan.recipes import Recipe, load_recipe
    from mtgan.training import Run, train
    from mtgan.training.judge import evaluate

# Public names and the module each lives in; loaded on first use so that `import mtgan` stays quick.
_HOMES = {
    "Dataset": "mtgan.data",
    "Taxonomy": "mtgan.data",
    "load_dataset": "mtgan.data",
    "UserError": "mtgan.errors",
    "Scorecard": "mtgan.evaluation",
    "evaluate": "mtgan.training.judge",
    "Recipe": "mtgan.recipes",
    "load_recipe": "mtgan.recipes",
    "Run": "mtgan.training",
    "train": "mtgan.training",
}

__all__ = [
    "Dataset",
    "Recipe",
    "Run",
    "Scorecard",
    "Taxonomy",
    "UserError",
    "__version__",
    "evaluate",
    "load_dataset",
    "load_recipe",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'mtgan' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
