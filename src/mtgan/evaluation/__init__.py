"""Judge generated samples, of this library or any other, against real data.

`evaluate` gives a `Scorecard`. The metrics' functions on plain arrays are here under their names,
as `frechet_distance` and `precision_recall`; the registry says which there are.
"""

from typing import Any

from mtgan.evaluation.calibration.corruptions import register_corruption
from mtgan.evaluation.evaluate import evaluate
from mtgan.evaluation.evaluator import Evaluator
from mtgan.evaluation.features import FeatureExtractor, feature_spaces, register_features
from mtgan.evaluation.metrics import METRICS, register_metric
from mtgan.evaluation.quick import QuickEvaluator
from mtgan.evaluation.scorecard import DomainScorecard, Scorecard, compare

__all__ = [
    "DomainScorecard",
    "Evaluator",
    "FeatureExtractor",
    "QuickEvaluator",
    "Scorecard",
    "compare",
    "evaluate",
    "feature_spaces",
    "register_corruption",
    "register_features",
    "register_metric",
]
__all__ += METRICS.written


def __getattr__(name: str) -> Any:
    if name in METRICS.written:
        return METRICS.get(name).function
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
