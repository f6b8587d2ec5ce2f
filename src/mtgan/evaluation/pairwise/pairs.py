"""One pass over all pairs of two sets, which serves many metrics."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.pairwise.arrays import Array, as_feature_pair, full_precision, positive
from mtgan.evaluation.pairwise.balls import BallCounts, PairedBalls
from mtgan.evaluation.pairwise.blocks import (
    Points,
    block_size,
    prepare,
    row_blocks,
    squared_distances,
    unit_products,
    within,
)
from mtgan.evaluation.pairwise.kernels import Cosines, cubes, inner_products
from mtgan.evaluation.pairwise.neighbors import (
    SPARE_CANDIDATES,
    Candidates,
    Neighborhood,
    neighborhood_of,
)


@dataclass(frozen=True, eq=False)
class PairwisePass:
    """What one pass over all pairs of samples and reference leaves behind.

    Attributes:
        samples: Neighbors among the samples.
        reference: Neighbors among the reference.
        sample_distances: From each sample to its nearest reference point, float64 [M].
        sample_indices: Which one, int64 [M].
        reference_distances: From each reference point to its nearest sample, float64 [N].
        reference_indices: Which one, int64 [N].
        balls: Counts by k.
        kernel_sum: Sum over all pairs of (x . y / D + 1)^3, when it was asked for.
        cosine_distances: Least 1 - |cos| of each sample to a reference point, float64 [M], when
            it was asked for.
    """

    samples: Neighborhood
    reference: Neighborhood
    sample_distances: Tensor
    sample_indices: Tensor
    reference_distances: Tensor
    reference_indices: Tensor
    balls: dict[int, BallCounts]
    kernel_sum: float | None = None
    cosine_distances: Tensor | None = None

    def counts(self, k: int) -> BallCounts:
        """Ball counts for this k; UserError when the pass did not take it."""
        if k not in self.balls:
            raise UserError(f"This pass was taken for k in {sorted(self.balls)}, not {k}.")
        return self.balls[k]


def pairwise_pass(
    samples: Array,
    reference: Array,
    k: int | Sequence[int] = (3, 5),
    *,
    kernel: bool = False,
    cosine: bool = False,
    sample_neighborhood: Neighborhood | None = None,
    reference_neighborhood: Neighborhood | None = None,
    block: int | None = None,
) -> PairwisePass:
    """All that neighbor measures need of two sets, from one pass over their pairs.

    `precision_recall_from_pass`, `density_coverage_from_pass`, `authenticity_from_pass`,
    `kernel_distance_from_pass` and `memorization_distance_from_pass` read their values off it.

    Args:
        samples: Generated features [M, D].
        reference: Real features [N, D].
        k: Neighbor counts whose balls are counted.
        kernel: Whether to sum the cubic kernel on the way (float32 products).
        cosine: Whether to find the least cosine distances on the way; no row may be all zero.
        sample_neighborhood: `neighborhood(samples, max(k), kernel=kernel)`, when already known.
        reference_neighborhood: The same of the reference.
        block: Rows and columns per block; no influence on the result.
    """
    ks = tuple(sorted({positive(count, "k") for count in ([k] if isinstance(k, int) else k)}))
    if not ks:
        raise UserError("k is empty: name at least one neighbor count.")
    points, real = as_feature_pair(samples, reference, ks[-1] + 1)
    own = sample_neighborhood or neighborhood_of(points, ks[-1], kernel, block)
    theirs = reference_neighborhood or neighborhood_of(real, ks[-1], kernel, block)
    _refuse_other_points("sample", own, points)
    _refuse_other_points("reference", theirs, real)

    a, b = prepare(points, real)
    forward = Candidates(len(a), min(1 + SPARE_CANDIDATES, len(b)), points.device)
    backward = Candidates(len(b), min(1 + SPARE_CANDIDATES, len(a)), points.device)
    balls = PairedBalls(a, b, [own.radii(k) for k in ks], [theirs.radii(k) for k in ks])
    products = _InnerProducts(a, b, kernel, cosine)
    size = block_size(points, block)
    blocks = itertools.product(row_blocks(len(a), size), row_blocks(len(b), size))
    with full_precision():
        for rows, columns in blocks:
            gram = unit_products(a, rows, b, columns)
            products.update(gram, rows, columns)
            squared = squared_distances(gram, a, rows, b, columns)
            _note_near(squared, rows, columns, balls, forward, backward)
    sample_distances, sample_indices = forward.exact(a, b, 1)
    reference_distances, reference_indices = backward.exact(b, a, 1)
    return PairwisePass(
        samples=own,
        reference=theirs,
        sample_distances=sample_distances[:, 0],
        sample_indices=sample_indices[:, 0],
        reference_distances=reference_distances[:, 0],
        reference_indices=reference_indices[:, 0],
        balls={
            k: BallCounts(mine.closed, mine.open, other.closed)
            for k, mine, other in zip(ks, balls.around_b, balls.around_a, strict=True)
        },
        kernel_sum=products.kernel_sum,
        cosine_distances=products.cosines.distances() if products.cosines else None,
    )


class _InnerProducts:
    """What is summed and sought of the inner products of all pairs, where either is asked for."""

    def __init__(self, a: Points, b: Points, kernel: bool, cosine: bool) -> None:
        self.a, self.b = a, b
        self.kernel_sum = 0.0 if kernel else None
        self.cosines = Cosines(a, b) if cosine else None

    def update(self, gram: Tensor, rows: slice, columns: slice) -> None:
        """Take in a block of unit products."""
        if self.kernel_sum is None and self.cosines is None:
            return
        for some, inner in inner_products(gram, self.a, rows, self.b, columns):
            if self.kernel_sum is not None:
                self.kernel_sum += cubes(inner)
            if self.cosines:
                self.cosines.update(some, inner, columns)


def _refuse_other_points(name: str, known: Neighborhood, points: Tensor) -> None:
    if len(known) != len(points):
        raise UserError(
            f"{name}_neighborhood belongs to {len(known)} points, not to these {len(points)}."
        )


def _note_near(
    squared: Tensor,
    rows: slice,
    columns: slice,
    balls: PairedBalls,
    forward: Candidates,
    backward: Candidates,
) -> None:
    """Update all three by the pairs of a block that any of them may need."""
    row_limits = torch.maximum(balls.a_reach[rows], forward.bound(rows))
    column_limits = torch.maximum(balls.b_reach[columns], backward.bound(columns))
    i, j = within(squared, row_limits[:, None], column_limits)
    near, i, j = squared[i, j], i + rows.start, j + columns.start
    balls.update(i, j, near)
    forward.update(rows, squared, columns.start, i, j, near)
    backward.update(columns, squared.T, rows.start, j, i, near)
