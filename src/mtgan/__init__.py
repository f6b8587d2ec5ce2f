"""Multitask generative adversarial networks: train them from short recipes, judge them."""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from mtgan.api import augment, classify, compare, evaluate, export, load, report, study
    from mtgan.data import Dataset, Taxonomy, list_datasets, load_dataset
    from mtgan.errors import UserError
    from mtgan.evaluation import Scorecard
    from mtgan.recipes import Recipe, list_recipes, load_recipe
    from mtgan.runs import train
    from mtgan.studies import Study, load_study
    from mtgan.training import Run

# Public names and the module each lives in; loaded on first use so that `import mtgan` stays quick.
_HOMES = {
    "augment": "mtgan.api",
    "classify": "mtgan.api",
    "compare": "mtgan.api",
    "evaluate": "mtgan.api",
    "export": "mtgan.api",
    "load": "mtgan.api",
    "report": "mtgan.api",
    "study": "mtgan.api",
    "Dataset": "mtgan.data",
    "Taxonomy": "mtgan.data",
    "list_datasets": "mtgan.data",
    "load_dataset": "mtgan.data",
    "UserError": "mtgan.errors",
    "Scorecard": "mtgan.evaluation",
    "Recipe": "mtgan.recipes",
    "list_recipes": "mtgan.recipes",
    "load_recipe": "mtgan.recipes",
    "Study": "mtgan.studies",
    "load_study": "mtgan.studies",
    "Run": "mtgan.training",
    "train": "mtgan.runs",
}

__all__ = [
    "Dataset",
    "Recipe",
    "Run",
    "Scorecard",
    "Study",
    "Taxonomy",
    "UserError",
    "__version__",
    "augment",
    "classify",
    "compare",
    "evaluate",
    "export",
    "list_datasets",
    "list_recipes",
    "load",
    "load_dataset",
    "load_recipe",
    "load_study",
    "report",
    "study",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'mtgan' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
