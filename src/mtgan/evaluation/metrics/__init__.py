"""Measures of generated samples: pure functions on arrays, one file each.

Every function takes the generated set first and the reference second, as numpy arrays or torch
tensors (features [N, D], images uint8 [N, C, H, W], predictions [N, K], labels [N]), works on
the device of a given tensor, and returns floats or small frozen dataclasses; those with one
headline figure convert by `float()`.

Shared parts are computed once and handed on: `GaussianStatistics` to `frechet_distance`,
`neighborhood` to `pairwise_pass`, and that to the functions `..._from_pass`.
"""

from mtgan.evaluation.metrics.authenticity import authenticity, authenticity_from_pass
from mtgan.evaluation.metrics.conditional import (
    ConditionalAccuracy,
    SuperclassConsistency,
    conditional_accuracy,
    superclass_consistency,
)
from mtgan.evaluation.metrics.data_copying import DataCopying, data_copying
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
from mtgan.evaluation.metrics.frechet_infinity import FrechetInfinity, frechet_infinity
from mtgan.evaluation.metrics.geometry import (
    GeometryScore,
    geometry_score,
    mean_relative_living_times,
)
from mtgan.evaluation.metrics.gray_neighbors import GrayNeighbors, gray_pixel_neighbors
from mtgan.evaluation.metrics.inception import InceptionScore, inception_score
from mtgan.evaluation.metrics.inputs import SmallSampleWarning
from mtgan.evaluation.metrics.intra_class import IntraClassFrechet, intra_class_frechet
from mtgan.evaluation.metrics.kernel import kernel_distance, kernel_distance_from_pass
from mtgan.evaluation.metrics.memorization import (
    MemorizationFid,
    memorization_distance,
    memorization_distance_from_pass,
    memorization_fid,
)
from mtgan.evaluation.metrics.ms_ssim import MsSsim, ms_ssim, ms_ssim_pairs
from mtgan.evaluation.metrics.prd import PrdCurve, prd_curve, prd_from_histograms
from mtgan.evaluation.metrics.precision_recall import (
    PrecisionRecall,
    precision_recall,
    precision_recall_from_pass,
)
from mtgan.evaluation.metrics.sliced_wasserstein import sliced_wasserstein
from mtgan.evaluation.metrics.vendi import vendi_score

__all__ = [
    "ConditionalAccuracy",
    "DataCopying",
    "DensityCoverage",
    "FrechetInfinity",
    "GaussianStatistics",
    "GeometryScore",
    "GrayNeighbors",
    "InceptionScore",
    "IntraClassFrechet",
    "MemorizationFid",
    "MsSsim",
    "Neighborhood",
    "PairwisePass",
    "PrdCurve",
    "PrecisionRecall",
    "SmallSampleWarning",
    "SuperclassConsistency",
    "authenticity",
    "authenticity_from_pass",
    "conditional_accuracy",
    "data_copying",
    "density_coverage",
    "density_coverage_from_pass",
    "frechet_distance",
    "frechet_from_statistics",
    "frechet_infinity",
    "geometry_score",
    "gray_pixel_neighbors",
    "inception_score",
    "intra_class_frechet",
    "kernel_distance",
    "kernel_distance_from_pass",
    "mean_relative_living_times",
    "memorization_distance",
    "memorization_distance_from_pass",
    "memorization_fid",
    "ms_ssim",
    "ms_ssim_pairs",
    "nearest",
    "neighborhood",
    "pairwise_pass",
    "prd_curve",
    "prd_from_histograms",
    "precision_recall",
    "precision_recall_from_pass",
    "sliced_wasserstein",
    "superclass_consistency",
    "vendi_score",
]
