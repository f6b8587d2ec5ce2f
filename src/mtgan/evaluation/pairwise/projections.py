"""Principal axes, for the measures that look at a few directions of many features."""

import torch
from scipy.linalg import eigh
from torch import Tensor

from mtgan.evaluation.pairwise.arrays import column_means, full_precision
from mtgan.evaluation.pairwise.gaussian import BLOCK_ROWS, GaussianStatistics
from mtgan.evaluation.pairwise.products import add_symmetric, mirror


def principal_axes(points: Tensor, dims: int) -> tuple[Tensor, Tensor]:
    """Mean [D] and the `dims` orthonormal directions of largest variance [D, dims], float64.

    Products are float32, which turns the axes by as little as it rounds the features.
    """
    count, width = points.shape
    if count <= width:
        statistics = GaussianStatistics.from_features(points)
        assert statistics.rows is not None
        axes = torch.linalg.svd(statistics.rows, full_matrices=False).Vh.T[:, :dims]
        return statistics.mean, axes
    mean = column_means(points)
    scale = max(abs(float(end)) for end in points.aminmax()) or 1.0
    moments = torch.zeros(width, width, device=points.device)
    with full_precision():
        for block in points.split(BLOCK_ROWS):
            add_symmetric(moments, (block - mean.to(block.dtype)).div_(scale).float())
    symmetric = mirror(moments).double().cpu().numpy()
    _, axes = eigh(symmetric, subset_by_index=(max(width - dims, 0), width - 1))
    return mean, torch.from_numpy(axes).flip(1).to(mean.device)


def project(points: Tensor, mean: Tensor, axes: Tensor) -> Tensor:
    """Coordinates, float64 [N, dims], of features [N, D] along axes [D, dims].

    Products are taken in the features' type, of features centered first: rounding is then small
    beside the distances between them.
    """
    narrow = axes.to(points.dtype)
    with full_precision():
        parts = [(rows - mean.to(rows.dtype)) @ narrow for rows in points.split(BLOCK_ROWS)]
    return torch.cat(parts).double()
