"""Euclidean distances between large sets, in blocks, in one pass that serves many measures.

Blocks of squared distances come from float32 matrix products of centered and scaled points.
Whatever is reported is then recomputed from differences in float64: neighbor distances always,
and ball membership wherever float32 cannot tell inside from outside. So results equal those of a
float64 N x N matrix, without ever holding one.

Source of the quantities: Kynkaanniemi et al. 2019 and Naeem et al. 2020 (balls with the radius
of the k-th neighbor), Alaa et al. 2022 (nearest neighbors), Binkowski et al. 2018 (kernel sums).
Distances are in units of the features. All sums are O(N M D) time and O(block^2 + N k) memory.

Legend: M samples, N reference points, D features, r x c a block.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.metrics.inputs import (
    Array,
    as_feature_pair,
    as_features,
    full_precision,
    positive,
)

SPARE_CANDIDATES = 2
"""Neighbors kept beyond the k-th by float32, so that float64 decides among near ties."""

TIE = 1e-12
"""Squared distances that differ by less than this share are equal."""

REFINE_ELEMENTS = 1 << 18
"""Elements of the differences that are held at once while refining."""

PAIRS_AT_ONCE = 1 << 20
"""Pairs that are counted at once; only degenerate sets have more in a block."""

KERNEL_ROWS = 32
"""Rows of a block that are widened to float64 at once: they stay in the processor's cache."""


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


@dataclass(frozen=True, eq=False)
class BallCounts:
    """How many balls of k-th-neighbor radius hold each point of the other set, int64.

    Attributes:
        samples: Closed reference balls (d <= radius) around each sample, [M].
        samples_open: Open reference balls (d < radius) around each sample, [M].
        reference: Closed sample balls around each reference point, [N].
    """

    samples: Tensor
    samples_open: Tensor
    reference: Tensor


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
    """

    samples: Neighborhood
    reference: Neighborhood
    sample_distances: Tensor
    sample_indices: Tensor
    reference_distances: Tensor
    reference_indices: Tensor
    balls: dict[int, BallCounts]
    kernel_sum: float | None = None

    def counts(self, k: int) -> BallCounts:
        """Ball counts for this k; UserError when the pass did not take it."""
        if k not in self.balls:
            raise UserError(f"This pass was taken for k in {sorted(self.balls)}, not {k}.")
        return self.balls[k]


@dataclass(frozen=True, eq=False)
class _Points:
    """A set made ready for float32 products: unit = (exact - center) / scale."""

    exact: Tensor
    unit: Tensor
    norms: Tensor
    center: Tensor
    scale: float

    def __len__(self) -> int:
        return len(self.exact)

    @cached_property
    def slack(self) -> Tensor:
        """By how much float32 may err in a squared distance, per point of the pair."""
        accumulated = 8 + self.unit.shape[1] ** 0.5
        return self.norms * (accumulated * torch.finfo(torch.float32).eps)

    @cached_property
    def kernel_offset(self) -> Tensor:
        """What x . y / D needs on top of the product of units, for one point of the pair."""
        center = self.center.double()
        product = torch.cat([block.double() @ center for block in self.unit.split(4096)])
        return (product * self.scale + center @ center / 2) / len(center)


def _prepare(*sets: Tensor) -> list[_Points]:
    """Both sets around the last one's mean, scaled into [-1, 1]."""
    narrowest = min((points.dtype for points in sets), key=lambda dtype: dtype.itemsize)
    center = sets[-1].mean(dim=0, dtype=torch.float64).to(narrowest)
    shifted = [points - center.to(points.dtype) for points in sets]
    scale = max(float(points.abs().max()) for points in shifted) or 1.0
    prepared = []
    for points, moved in zip(sets, shifted, strict=True):
        unit = moved.div_(scale).float().contiguous()
        norms = torch.linalg.vector_norm(unit, dim=1).square()
        prepared.append(_Points(points, unit, norms, center, scale))
    return prepared


def _block_size(points: Tensor, block: int | None) -> int:
    return block or (2048 if points.device.type == "cpu" else 8192)


def _spans(count: int, block: int) -> list[slice]:
    return [slice(start, min(start + block, count)) for start in range(0, count, block)]


def _gram_blocks(a: _Points, b: _Points, block: int) -> Iterator[tuple[slice, slice, Tensor]]:
    """Products of units [r, c], block by block; the upper triangle when a is b."""
    for rows in _spans(len(a), block):
        for columns in _spans(len(b), block):
            if a is not b or columns.start >= rows.start:
                yield rows, columns, a.unit[rows] @ b.unit[columns].T


def _squared(gram: Tensor, a: _Points, rows: slice, b: _Points, columns: slice) -> Tensor:
    """Squared distances of units, in place of their products."""
    return gram.mul_(-2).add_(a.norms[rows, None]).add_(b.norms[columns])


def _exact_squared(a: Tensor, b: Tensor) -> Tensor:
    """Squared distances of paired rows, from float64 differences."""
    return (a.double() - b).square_().sum(dim=-1)


class _Candidates:
    """The nearest few of another set to each point, so far."""

    def __init__(self, count: int, k: int, device: torch.device) -> None:
        self.values = torch.full((count, k), torch.inf, device=device)
        self.indices = torch.zeros((count, k), dtype=torch.int64, device=device)

    def update(self, rows: slice, squared: Tensor, offset: int) -> None:
        """Take in a block [r, c], the columns of which begin at `offset`."""
        k = self.values.shape[1]
        found, where = squared.topk(min(k, squared.shape[1]), dim=1, largest=False, sorted=False)
        values = torch.cat([self.values[rows], found], dim=1)
        indices = torch.cat([self.indices[rows], where + offset], dim=1)
        self.values[rows], best = values.topk(k, dim=1, largest=False)
        self.indices[rows] = indices.gather(1, best)

    def exact(self, points: Tensor, others: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """Distances float64 [n, k], ascending, and indices."""
        distances = torch.empty(self.values.shape, dtype=torch.float64, device=points.device)
        rows = max(1, REFINE_ELEMENTS // (self.values.shape[1] * points.shape[1]))
        for span in _spans(len(points), rows):
            near = others[self.indices[span].flatten()].view(*self.indices[span].shape, -1)
            distances[span] = _exact_squared(points[span, None], near).sqrt_()
        order = distances.argsort(dim=1, stable=True)[:, :k]
        return distances.gather(1, order), self.indices.gather(1, order)


class _Balls:
    """Counts, for points of one set, the balls around the points of another that hold them."""

    def __init__(self, points: _Points, centers: _Points, radii: Tensor) -> None:
        self.points, self.centers = points, centers
        self.squared_radii = radii.square()
        self.limits = (self.squared_radii / centers.scale**2).float()
        self.margins = centers.slack + 8 * torch.finfo(torch.float32).eps * self.limits
        self.closed = torch.zeros(len(points), dtype=torch.int64, device=radii.device)
        self.open = self.closed.clone()

    def update(self, i: Tensor, j: Tensor, squared: Tensor) -> None:
        """Take in pairs (point i, center j) and their squared distances of units, each once."""
        gap = squared - self.limits[j]
        closed = gap <= 0
        opened = closed.clone()
        unclear = gap.abs() <= self.points.slack[i] + self.margins[j]
        closed[unclear], opened[unclear] = self._decide(i[unclear], j[unclear])
        self.closed += torch.bincount(i[closed], minlength=len(self.closed))
        self.open += torch.bincount(i[opened], minlength=len(self.open))

    def _decide(self, i: Tensor, j: Tensor) -> tuple[Tensor, Tensor]:
        """Whether point i lies in the closed and in the open ball around center j, in float64."""
        closed = torch.empty(len(i), dtype=torch.bool, device=i.device)
        opened = closed.clone()
        for span in _spans(len(i), max(1, REFINE_ELEMENTS // self.points.exact.shape[1])):
            exact = _exact_squared(self.points.exact[i[span]], self.centers.exact[j[span]])
            radii = self.squared_radii[j[span]]
            closed[span] = exact <= radii * (1 + TIE)
            opened[span] = exact < radii * (1 - TIE)
        return closed, opened


class _PairedBalls:
    """The balls of either set against the points of the other.

    Balls hold few points: each block is compared once with the widest balls of its rows and
    columns, and all counting is done on what passes.
    """

    def __init__(
        self, a: _Points, b: _Points, a_radii: Sequence[Tensor], b_radii: Sequence[Tensor]
    ) -> None:
        self.around_b = [_Balls(a, b, radii) for radii in b_radii]
        self.around_a = [_Balls(b, a, radii) for radii in a_radii]
        self.a_reach, self.b_reach = (
            torch.stack([balls.limits + balls.margins for balls in each]).amax(dim=0)
            for each in (self.around_a, self.around_b)
        )
        self.a_slack, self.b_slack = float(a.slack.max()), float(b.slack.max())

    def update(self, rows: slice, columns: slice, squared: Tensor) -> None:
        """Take in a block [r, c] of squared distances of units."""
        near = squared <= (self.a_reach[rows] + self.b_slack)[:, None]
        near |= squared <= self.b_reach[columns] + self.a_slack
        flat, width = _true_places(near.view(-1)), squared.shape[1]
        for span in _spans(len(flat), PAIRS_AT_ONCE):
            i = flat[span].div(width, rounding_mode="floor")
            j, values = flat[span] - i * width, squared.view(-1)[flat[span]]
            i, j = i + rows.start, j + columns.start
            for balls in self.around_b:
                balls.update(i, j, values)
            for balls in self.around_a:
                balls.update(j, i, values)


def _true_places(mask: Tensor) -> Tensor:
    """Where a mask [n] is true, int64; numpy is ten times faster than torch on the CPU."""
    if mask.device.type == "cpu":
        return torch.from_numpy(np.flatnonzero(mask.numpy()))
    return mask.nonzero()[:, 0]


def _kernel_block_sum(gram: Tensor, a: _Points, rows: slice, b: _Points, columns: slice) -> float:
    """Sum of (x . y / D + 1)^3 over a block of products, in float64 but for these."""
    total, share = 0.0, a.scale * b.scale / a.unit.shape[1]
    row_offset, column_offset = a.kernel_offset[rows] + 1, b.kernel_offset[columns]
    for part in _spans(len(gram), KERNEL_ROWS if gram.device.type == "cpu" else len(gram)):
        inner = gram[part].double().mul_(share).add_(row_offset[part, None]).add_(column_offset)
        total += float((inner * inner).mul_(inner).sum())
    return total


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
    return _neighborhood(as_features(points, "points", minimum=k + 1), k, kernel, block)


def _neighborhood(points: Tensor, k: int, kernel: bool, block: int | None) -> Neighborhood:
    (ready,) = _prepare(points)
    candidates = _Candidates(len(points), min(k + SPARE_CANDIDATES, len(points) - 1), points.device)
    kernel_sum = 0.0
    with full_precision():
        for rows, columns, gram in _gram_blocks(ready, ready, _block_size(points, block)):
            diagonal = rows == columns
            if kernel:
                total = _kernel_block_sum(gram, ready, rows, ready, columns)
                kernel_sum += total if diagonal else 2 * total
            squared = _squared(gram, ready, rows, ready, columns)
            if diagonal:
                squared.fill_diagonal_(torch.inf)
            else:
                candidates.update(columns, squared.T.contiguous(), rows.start)
            candidates.update(rows, squared, columns.start)
    if kernel:
        kernel_sum -= _kernel_diagonal(points)
    return Neighborhood(*candidates.exact(points, points, k), kernel_sum if kernel else None)


def _kernel_diagonal(points: Tensor) -> float:
    norms = torch.linalg.vector_norm(points, dim=1, dtype=torch.float64).square()
    return float((norms / points.shape[1] + 1).pow(3).sum())


def nearest(
    points: Array, others: Array, k: int = 1, *, block: int | None = None
) -> tuple[Tensor, Tensor]:
    """Distances float64 [M, k], ascending, and indices of the k nearest `others` of each point."""
    positive(k, "k")
    left, right = as_feature_pair(points, others, 1, ("points", "others"))
    if len(right) < k:
        raise UserError(f"others has {len(right)} rows, fewer than k={k}: give more.")
    a, b = _prepare(left, right)
    candidates = _Candidates(len(a), min(k + SPARE_CANDIDATES, len(b)), left.device)
    size = _block_size(left, block)
    with full_precision():
        for rows in _spans(len(a), size):
            for columns in _spans(len(b), size):
                # The row's own norm moves all of its distances alike, so it is left out.
                shifted = torch.addmm(b.norms[columns], a.unit[rows], b.unit[columns].T, alpha=-2)
                candidates.update(rows, shifted, columns.start)
    return candidates.exact(left, right, k)


def pairwise_pass(
    samples: Array,
    reference: Array,
    k: int | Sequence[int] = (3, 5),
    *,
    kernel: bool = False,
    sample_neighborhood: Neighborhood | None = None,
    reference_neighborhood: Neighborhood | None = None,
    block: int | None = None,
) -> PairwisePass:
    """All that neighbor measures need of two sets, from one pass over their pairs.

    `precision_recall_from_pass`, `density_coverage_from_pass`, `authenticity_from_pass` and
    `kernel_distance_from_pass` read their values off the result.

    Args:
        samples: Generated features [M, D].
        reference: Real features [N, D].
        k: Neighbor counts whose balls are counted.
        kernel: Whether to sum the cubic kernel on the way (float32 products).
        sample_neighborhood: `neighborhood(samples, max(k), kernel=kernel)`, when already known.
        reference_neighborhood: The same of the reference.
        block: Rows and columns per block; no influence on the result.
    """
    ks = tuple(sorted({positive(each, "k") for each in ([k] if isinstance(k, int) else k)}))
    if not ks:
        raise UserError("k is empty: name at least one neighbor count.")
    points, real = as_feature_pair(samples, reference, ks[-1] + 1)
    own = sample_neighborhood or _neighborhood(points, ks[-1], kernel, block)
    theirs = reference_neighborhood or _neighborhood(real, ks[-1], kernel, block)
    for name, each, count in (("sample", own, len(points)), ("reference", theirs, len(real))):
        if len(each) != count:
            raise UserError(
                f"{name}_neighborhood belongs to {len(each)} points, not to these {count}."
            )

    a, b = _prepare(points, real)
    forward = _Candidates(len(a), min(1 + SPARE_CANDIDATES, len(b)), points.device)
    backward = _Candidates(len(b), min(1 + SPARE_CANDIDATES, len(a)), points.device)
    balls = _PairedBalls(
        a, b, [own.radii(each) for each in ks], [theirs.radii(each) for each in ks]
    )
    kernel_sum = 0.0
    with full_precision():
        for rows, columns, gram in _gram_blocks(a, b, _block_size(points, block)):
            if kernel:
                kernel_sum += _kernel_block_sum(gram, a, rows, b, columns)
            squared = _squared(gram, a, rows, b, columns)
            forward.update(rows, squared, columns.start)
            backward.update(columns, squared.T.contiguous(), rows.start)
            balls.update(rows, columns, squared)
    sample_distances, sample_indices = forward.exact(points, real, 1)
    reference_distances, reference_indices = backward.exact(real, points, 1)
    return PairwisePass(
        samples=own,
        reference=theirs,
        sample_distances=sample_distances[:, 0],
        sample_indices=sample_indices[:, 0],
        reference_distances=reference_distances[:, 0],
        reference_indices=reference_indices[:, 0],
        balls={
            each: BallCounts(mine.closed, mine.open, other.closed)
            for each, mine, other in zip(ks, balls.around_b, balls.around_a, strict=True)
        },
        kernel_sum=kernel_sum if kernel else None,
    )
