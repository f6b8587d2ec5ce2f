"""Principal axes, for the measures that look at a few directions of many features."""

import torch
from torch import Tensor

from mtgan.evaluation.metrics.frechet import GaussianStatistics


def principal_axes(points: Tensor, dims: int) -> tuple[Tensor, Tensor]:
    """Mean [D] and the `dims` orthonormal directions of largest variance [D, dims], float64."""
    statistics = GaussianStatistics.from_features(points)
    if statistics.rows is not None:
        axes = torch.linalg.svd(statistics.rows, full_matrices=False).Vh.T[:, :dims]
    else:
        axes = torch.linalg.eigh(statistics.covariance).eigenvectors.flip(1)[:, :dims]
    return statistics.mean, axes


def project(points: Tensor, mean: Tensor, axes: Tensor) -> Tensor:
    """Coordinates of features [N, D] along the axes, float64 [N, dims]."""
    return points.double() @ axes - mean @ axes
