"""Multitask classifiers: one task, soft and hard sharing (thesis 2017, chapter 2)."""

from mtgan.classification.run import ClassifierRun, Trunk, load_features, load_trunk
from mtgan.classification.schema import CLASSIFIERS, ClassifierRecipe, load_classifier_recipe
from mtgan.classification.train import classify

__all__ = [
    "CLASSIFIERS",
    "ClassifierRecipe",
    "ClassifierRun",
    "Trunk",
    "classify",
    "load_classifier_recipe",
    "load_features",
    "load_trunk",
]
