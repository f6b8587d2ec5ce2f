"""Measures of generated samples: pure functions on arrays, one file each.

Every function takes the generated set first and the reference second, as numpy arrays or torch
tensors (features [N, D], images uint8 [N, C, H, W], predictions [N, K], labels [N]), works on
the device of a given tensor, and returns floats or small frozen dataclasses.
"""

from mtgan.evaluation.metrics.density_coverage import (
    DensityCoverage,
    density_coverage,
    density_coverage_from_pass,
)
from mtgan.evaluation.metrics.distances import (
    Neighborhood,
    PairwisePass,
    nearest,
    neighborhood,
    pairwise_pass,
)
from mtgan.evaluation.metrics.frechet import (
    GaussianStatistics,
    frechet_distance,
    frechet_from_statistics,
)
from mtgan.evaluation.metrics.inception import InceptionScore, inception_score
from mtgan.evaluation.metrics.inputs import SmallSampleWarning
from mtgan.evaluation.metrics.kernel import kernel_distance, kernel_distance_from_pass
from mtgan.evaluation.metrics.precision_recall import (
    PrecisionRecall,
    precision_recall,
    precision_recall_from_pass,
)

__all__ = [
    "DensityCoverage",
    "GaussianStatistics",
    "InceptionScore",
    "Neighborhood",
    "PairwisePass",
    "PrecisionRecall",
    "SmallSampleWarning",
    "density_coverage",
    "density_coverage_from_pass",
    "frechet_distance",
    "frechet_from_statistics",
    "inception_score",
    "kernel_distance",
    "kernel_distance_from_pass",
    "nearest",
    "neighborhood",
    "pairwise_pass",
    "precision_recall",
    "precision_recall_from_pass",
]
