"""Cubic kernels and cosines of all pairs, a block at a time.

Source: Binkowski et al. 2018 (kernel sums), Bai et al. 2021 (least cosine distances).
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from mtgan.evaluation.pairwise.arrays import positive_norms, row_norms
from mtgan.evaluation.pairwise.blocks import REFINE_ELEMENTS, Points, rank_two, row_blocks

KERNEL_ROWS = 64
"""Rows of a block whose kernels are taken at once: they stay in the processor's cache."""


def inner_products(
    gram: Tensor, a: Points, rows: slice, b: Points, columns: slice
) -> Iterator[tuple[slice, Tensor]]:
    """x . y / D from a block of products of units, a few rows [r, c] at once."""
    share, dtype = a.scale * b.scale / a.unit.shape[1], a.kernel_dtype
    left, right = rank_two(a.kernel_offset[rows].to(dtype), b.kernel_offset[columns].to(dtype))
    for part in row_blocks(len(gram), KERNEL_ROWS if gram.device.type == "cpu" else len(gram)):
        inner = torch.addmm(gram[part].to(dtype), left[part], right, beta=share)
        yield slice(rows.start + part.start, rows.start + part.stop), inner


def cubes(inner: Tensor) -> float:
    """Sum of (x . y / D + 1)^3, by its distance from 1, which float32 keeps however small."""
    beyond = (inner + 3).mul_(inner).add_(3)
    return float(torch.dot(beyond.flatten(), inner.flatten())) + inner.numel()


def kernel_diagonal(points: Tensor) -> float:
    return float((row_norms(points).square() / points.shape[1] + 1).pow(3).sum())


class Cosines:
    """The largest |cos| of each point to any of another set, so far."""

    def __init__(self, points: Points, others: Points) -> None:
        self.points, self.others = points, others
        norms = positive_norms(others.exact, "reference")
        self.shares = (others.unit.shape[1] / norms).to(points.kernel_dtype)
        self.best = torch.full_like(positive_norms(points.exact, "samples"), -1)
        self.indices = torch.zeros_like(self.best, dtype=torch.int64)

    def update(self, rows: slice, inner: Tensor, columns: slice) -> None:
        """Take in x . y / D, [r, c]."""
        cosines = (inner * self.shares[columns]).abs_()
        found = cosines.amax(dim=1).double()
        nearer = (found > self.best[rows]).nonzero()[:, 0]
        self.best[rows.start + nearer] = found[nearer]
        self.indices[rows.start + nearer] = cosines[nearer].argmax(dim=1) + columns.start

    def distances(self) -> Tensor:
        """1 - |cos|, float64 [n]."""
        return exact_cosine_distances(self.points.exact, self.others.exact, self.indices)


def exact_cosine_distances(points: Tensor, others: Tensor, indices: Tensor) -> Tensor:
    """1 - |cos| of each point [n, D] to one of others [m, D], by its index [n], in float64."""
    result = torch.empty(len(points), dtype=torch.float64, device=points.device)
    for span in row_blocks(len(points), max(1, REFINE_ELEMENTS // points.shape[1])):
        a, b = points[span].double(), others[indices[span]].double()
        norms = torch.linalg.vector_norm(a, dim=1) * torch.linalg.vector_norm(b, dim=1)
        result[span] = 1 - (a * b).sum(dim=1).div_(norms).abs_()
    return result.clamp_min_(0)
