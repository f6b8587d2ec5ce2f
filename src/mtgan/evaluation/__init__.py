"""Judge generated samples, of this library or any other, against real data.

`evaluate` gives a `Scorecard`; `QuickEvaluator` watches a run; the metric functions work on plain
arrays.
"""

from mtgan.evaluation.features import FeatureExtractor, feature_spaces, register_features
from mtgan.evaluation.quick import QuickEvaluator
from mtgan.evaluation.scorecard import Scorecard, compare
from mtgan.evaluation.suite import evaluate

__all__ = [
    "FeatureExtractor",
    "QuickEvaluator",
    "Scorecard",
    "compare",
    "evaluate",
    "feature_spaces",
    "register_features",
]
