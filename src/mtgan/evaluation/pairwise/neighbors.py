"""The nearest neighbors of points, within their own set and in another.

Source of the quantities: Alaa et al. 2022 (nearest neighbors), Kynkaanniemi et al. 2019 (radii).
"""

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.pairwise.arrays import (
    Array,
    as_feature_pair,
    as_features,
    full_precision,
    positive,
)
from mtgan.evaluation.pairwise.blocks import (
    Points,
    block_size,
    exact_squared,
    prepare,
    row_blocks,
    squared_distances,
    unit_products,
    within,
)
from mtgan.evaluation.pairwise.kernels import cubes, inner_products, kernel_diagonal

SPARE_CANDIDATES = 2
"""Neighbors kept beyond the k-th by float32, so that float64 decides among near ties."""


@dataclass(frozen=True, eq=False)
class Neighborhood:
    """The k nearest neighbors of each point within its own set, itself excluded.

    Attributes:
        distances: float64 [N, k], ascending.
        indices: int64 [N, k].
        kernel_sum: Sum over i != j of (x_i . x_j / D + 1)^3, when it was asked for.
    """

    distances: Tensor
    indices: Tensor
    kernel_sum: float | None = None

    def __len__(self) -> int:
        return len(self.distances)

    def radii(self, k: int) -> Tensor:
        """Distance to the k-th neighbor, float64 [N]."""
        if not 1 <= k <= self.distances.shape[1]:
            raise UserError(f"This pass holds {self.distances.shape[1]} neighbors, not k={k}.")
        return self.distances[:, k - 1]


class Candidates:
    """The nearest few of another set to each point, so far, the nearest first.

    The first block that a point is compared with is searched as a whole. After that, few of a
    block are nearer than the farthest of these few, and only they are looked at.
    """

    def __init__(self, count: int, k: int, device: torch.device) -> None:
        self.values = torch.full((count, k), torch.inf, device=device)
        self.indices = torch.zeros((count, k), dtype=torch.int64, device=device)

    def bound(self, rows: slice) -> Tensor:
        """The most that may still count, [r]: ties do not, nor anything before the first search."""
        farthest, least = self.values[rows, -1], self.values.new_tensor(-torch.inf)
        return farthest.nextafter(least) if self.begun(rows) else least.expand_as(farthest)

    def begun(self, rows: slice) -> bool:
        """Whether the first block of these points has been searched."""
        return bool(self.values[rows.start, 0] < torch.inf)

    def update(
        self, rows: slice, squared: Tensor, offset: int, i: Tensor, j: Tensor, near: Tensor
    ) -> None:
        """Take in a block [r, c], the columns of which begin at `offset`.

        All of it the first time, after that the pairs (i, j), at `near`, that `bound` let pass.
        """
        if self.begun(rows):
            self._add(i, j, near)
            return
        k = min(self.values.shape[1], squared.shape[1])
        found, where = squared.contiguous().topk(k, dim=1, largest=False)
        self.values[rows, :k], self.indices[rows, :k] = found, where + offset

    def _add(self, i: Tensor, j: Tensor, squared: Tensor) -> None:
        nearer = squared < self.values[i, -1]
        i, j, squared = i[nearer], j[nearer], squared[nearer]
        if len(i) == 0:
            return
        k, rows = self.values.shape[1], i.unique()
        owners = torch.cat([rows.repeat_interleave(k), i])
        values = torch.cat([self.values[rows].flatten(), squared])
        indices = torch.cat([self.indices[rows].flatten(), j])
        order = values.argsort()
        order = order[owners[order].argsort(stable=True)]
        owners = owners[order]
        rank = torch.arange(len(owners), device=i.device) - torch.searchsorted(owners, owners)
        best = order[rank < k]
        self.values[rows], self.indices[rows] = values[best].view(-1, k), indices[best].view(-1, k)

    def exact(self, a: Points, b: Points, k: int) -> tuple[Tensor, Tensor]:
        """Distances float64 [n, k] from a to b, ascending, and indices.

        Spare candidates are measured where float32 cannot tell them from the k-th.
        """
        distances = torch.full(self.values.shape, torch.inf, dtype=torch.float64)
        distances = distances.to(self.values.device)
        error = 2 * (a.slack + b.slack.max())
        doubtful = self.values - self.values[:, k - 1 : k] <= error[:, None]
        doubtful[:, :k] = True
        i, j = doubtful.nonzero()[:, 0], self.indices[doubtful]
        distances[doubtful] = exact_squared(a.exact, i, b.exact, j).sqrt_()
        order = distances.argsort(dim=1, stable=True)[:, :k]
        return distances.gather(1, order), self.indices.gather(1, order)


def neighborhood(
    points: Array, k: int = 5, *, kernel: bool = False, block: int | None = None
) -> Neighborhood:
    """The k nearest neighbors of each point of a set within the set, itself excluded.

    Compute it once for a reference, and hand it to `pairwise_pass` for every sample set.

    Args:
        points: Features [N, D], N > k.
        k: Number of neighbors.
        kernel: Whether to sum the cubic kernel on the way (float32 products).
        block: Rows and columns per block; no influence on the result.
    """
    positive(k, "k")
    return neighborhood_of(as_features(points, "points", minimum=k + 1), k, kernel, block)


def neighborhood_of(points: Tensor, k: int, kernel: bool, block: int | None) -> Neighborhood:
    (ready,) = prepare(points)
    count, kernel_sum = len(points), 0.0
    candidates = Candidates(count, min(k + SPARE_CANDIDATES, count - 1), points.device)
    spans = row_blocks(count, block_size(points, block))
    pairs = [(span, span) for span in spans]  # first, so that few of the others are candidates
    pairs += itertools.combinations(spans, 2)
    with full_precision():
        for rows, columns in pairs:
            gram = unit_products(ready, rows, ready, columns)
            if kernel:
                total = sum(
                    cubes(part) for _, part in inner_products(gram, ready, rows, ready, columns)
                )
                kernel_sum += total if rows == columns else 2 * total
            squared = squared_distances(gram, ready, rows, ready, columns)
            if rows == columns:
                squared.fill_diagonal_(torch.inf)
            i, j = within(squared, candidates.bound(rows)[:, None], candidates.bound(columns))
            near, i, j = squared[i, j], i + rows.start, j + columns.start
            candidates.update(rows, squared, columns.start, i, j, near)
            if rows != columns:
                candidates.update(columns, squared.T, rows.start, j, i, near)
    if kernel:
        kernel_sum -= kernel_diagonal(points)
    distances, indices = candidates.exact(ready, ready, k)
    return Neighborhood(distances, indices, kernel_sum if kernel else None)


def nearest(
    points: Array, others: Array, k: int = 1, *, block: int | None = None
) -> tuple[Tensor, Tensor]:
    """Distances float64 [M, k], ascending, and indices of the k nearest `others` of each point."""
    positive(k, "k")
    left, right = as_feature_pair(points, others, 1, ("points", "others"))
    if len(right) < k:
        raise UserError(f"others has {len(right)} rows, fewer than k={k}: give more.")
    a, b = prepare(left, right)
    candidates = Candidates(len(a), min(k + SPARE_CANDIDATES, len(b)), left.device)
    size = block_size(left, block)
    with full_precision():
        for rows, columns in itertools.product(row_blocks(len(a), size), row_blocks(len(b), size)):
            squared = squared_distances(unit_products(a, rows, b, columns), a, rows, b, columns)
            i, j = within(squared, candidates.bound(rows)[:, None])
            near, i, j = squared[i, j], i + rows.start, j + columns.start
            candidates.update(rows, squared, columns.start, i, j, near)
    return candidates.exact(a, b, k)
