"""Multitask classifiers: one task, soft and hard sharing (thesis 2017, chapter 2)."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mtgan.classification.layers import classifier_layers
    from mtgan.classification.run import ClassifierRun, Trunk, load_features, load_trunk
    from mtgan.classification.schema import CLASSIFIERS, ClassifierRecipe, load_classifier_recipe
    from mtgan.classification.train import classify

# Loaded on first use, so that recipes are read without torch.
_HOMES = {
    "CLASSIFIERS": "schema",
    "ClassifierRecipe": "schema",
    "ClassifierRun": "run",
    "Trunk": "run",
    "classifier_layers": "layers",
    "classify": "train",
    "load_classifier_recipe": "schema",
    "load_features": "run",
    "load_trunk": "run",
}

__all__ = [
    "CLASSIFIERS",
    "ClassifierRecipe",
    "ClassifierRun",
    "Trunk",
    "classifier_layers",
    "classify",
    "load_classifier_recipe",
    "load_features",
    "load_trunk",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
