"""Judge generated samples, of this library or any other, against real data.

`evaluate` gives a `Scorecard`; `QuickEvaluator` watches a run; the metric functions work on plain
arrays.
"""

from mtgan.evaluation.features import FeatureExtractor, feature_spaces, register_features
from mtgan.evaluation.metrics import (
    authenticity,
    density_coverage,
    frechet_distance,
    geometry_score,
    inception_score,
    kernel_distance,
    memorization_fid,
    ms_ssim,
    prd_curve,
    precision_recall,
    vendi_score,
)
from mtgan.evaluation.quick import QuickEvaluator
from mtgan.evaluation.scorecard import Scorecard, compare
from mtgan.evaluation.suite import evaluate

__all__ = [
    "FeatureExtractor",
    "QuickEvaluator",
    "Scorecard",
    "authenticity",
    "compare",
    "density_coverage",
    "evaluate",
    "feature_spaces",
    "frechet_distance",
    "geometry_score",
    "inception_score",
    "kernel_distance",
    "memorization_fid",
    "ms_ssim",
    "prd_curve",
    "precision_recall",
    "register_features",
    "vendi_score",
]
