"""Euclidean distances between large sets, in blocks, in one pass that serves many measures.

Blocks of squared distances come from float32 matrix products of centered and scaled points.
Whatever is reported is then recomputed from differences in float64: neighbor distances always,
and ball membership wherever float32 cannot tell inside from outside. So results equal those of a
float64 N x N matrix, without ever holding one. Kernel sums alone stay float32.

Source of the quantities: Kynkaanniemi et al. 2019 and Naeem et al. 2020 (balls with the radius
of the k-th neighbor), Alaa et al. 2022 (nearest neighbors), Binkowski et al. 2018 (kernel sums),
Bai et al. 2021 (least cosine distances).
Distances are in units of the features. All sums are O(N M D) time and O(block^2 + N k) memory.

Legend: M samples, N reference points, D features, r x c a block.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.metrics.inputs import (
    WIDENED_ROWS,
    Array,
    as_feature_pair,
    as_features,
    column_means,
    full_precision,
    positive,
    positive_norms,
    row_norms,
)
from mtgan.evaluation.metrics.products import symmetric_product

SPARE_CANDIDATES = 2
"""Neighbors kept beyond the k-th by float32, so that float64 decides among near ties."""

TIE = 1e-12
"""Squared distances that differ by less than this share are equal."""

REFINE_ELEMENTS = 1 << 15
"""Elements of the differences that are held at once while refining: they stay in the cache."""

PAIRS_AT_ONCE = 1 << 20
"""Pairs that are counted at once; only degenerate sets have more in a block."""

LARGEST_CUBED = 1e5
"""Features below this have kernels whose sums over a few rows fit float32."""

KERNEL_ROWS = 64
"""Rows of a block whose kernels are taken at once: they stay in the processor's cache."""

COMPARED_ROWS = 128
"""Rows of a block that are compared with limits at once, for the same reason."""


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
        product = torch.cat([block.double() @ center for block in self.unit.split(WIDENED_ROWS)])
        return (product * self.scale + center @ center / 2) / len(center)

    @property
    def kernel_dtype(self) -> torch.dtype:
        """float32, unless sums of cubes of x . y / D may overflow it."""
        largest = self.scale + float(self.center.abs().max())
        return torch.float32 if largest < LARGEST_CUBED else torch.float64


def _prepare(*sets: Tensor) -> list[_Points]:
    """Both sets around the last one's mean, scaled into [-1, 1]."""
    narrowest = min((points.dtype for points in sets), key=lambda dtype: dtype.itemsize)
    center = column_means(sets[-1]).to(narrowest)
    shifted = [points - center.to(points.dtype) for points in sets]
    scale = max(abs(float(end)) for points in shifted for end in points.aminmax()) or 1.0
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


def _gram(a: _Points, rows: slice, b: _Points, columns: slice) -> Tensor:
    """Products of units [r, c]."""
    if a is b and rows == columns:
        return symmetric_product(a.unit[rows].T)
    return a.unit[rows] @ b.unit[columns].T


def _sums(rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Factors [r, 2] and [2, c] whose product is row + column, for one pass of `addmm`."""
    return (
        torch.stack([rows, torch.ones_like(rows)], dim=1),
        torch.stack([torch.ones_like(columns), columns]),
    )


def _squared(gram: Tensor, a: _Points, rows: slice, b: _Points, columns: slice) -> Tensor:
    """Squared distances of units, in place of their products."""
    return gram.addmm_(*_sums(a.norms[rows], b.norms[columns]), beta=-2)


def _exact_squared(a: Tensor, i: Tensor, b: Tensor, j: Tensor) -> Tensor:
    """Squared distances float64 [n] of the rows a[i] and b[j], from float64 differences."""
    parts = [torch.empty(0, dtype=torch.float64, device=a.device)]
    for span in _spans(len(i), max(1, REFINE_ELEMENTS // a.shape[1])):
        mine, theirs = i[span], j[span]
        if a.device.type == "cpu":  # numpy gathers and widens in half the time
            gap = a.numpy()[mine.numpy()].astype(np.float64)
            gap -= b.numpy()[theirs.numpy()]
            parts.append(torch.from_numpy(np.einsum("nd,nd->n", gap, gap)))
        else:
            parts.append((a[mine].double() - b[theirs]).square_().sum(dim=1))
    return torch.cat(parts)


def _within(squared: Tensor, *limits: Tensor) -> tuple[Tensor, Tensor]:
    """Places (i, j) of a block [r, c] that are within any limit, [r, 1] or [c]."""
    limits = tuple(each.expand_as(squared) for each in limits)
    if squared.device.type != "cpu":
        near = torch.stack([squared <= each for each in limits]).any(dim=0)
        i, j = near.nonzero().T
        return i, j
    found, width = [], squared.shape[1]
    for part in _spans(len(squared), COMPARED_ROWS):  # numpy is several times faster here
        values = squared[part].numpy()
        mask = values <= limits[0][part].numpy()
        for each in limits[1:]:
            mask |= values <= each[part].numpy()
        found.append(np.flatnonzero(mask) + part.start * width)
    rows, columns = np.divmod(np.concatenate(found), width)
    return torch.from_numpy(rows), torch.from_numpy(columns)


class _Candidates:
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

    def exact(self, a: _Points, b: _Points, k: int) -> tuple[Tensor, Tensor]:
        """Distances float64 [n, k] from a to b, ascending, and indices.

        Spare candidates are measured where float32 cannot tell them from the k-th.
        """
        distances = torch.full(self.values.shape, torch.inf, dtype=torch.float64)
        distances = distances.to(self.values.device)
        error = 2 * (a.slack + b.slack.max())
        doubtful = self.values - self.values[:, k - 1 : k] <= error[:, None]
        doubtful[:, :k] = True
        i, j = doubtful.nonzero()[:, 0], self.indices[doubtful]
        distances[doubtful] = _exact_squared(a.exact, i, b.exact, j).sqrt_()
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
        exact = _exact_squared(self.points.exact, i, self.centers.exact, j)
        radii = self.squared_radii[j]
        return exact <= radii * (1 + TIE), exact < radii * (1 - TIE)


class _PairedBalls:
    """The balls of either set against the points of the other.

    Balls hold few points: each block is compared once with the widest balls of its rows and
    columns (`a_reach`, `b_reach`), and all counting is done on what passes.
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
        self.a_reach += b.slack.max()
        self.b_reach += a.slack.max()

    def update(self, i: Tensor, j: Tensor, squared: Tensor) -> None:
        """Take in pairs (a's i, b's j) and their squared distances of units, each once."""
        for span in _spans(len(i), PAIRS_AT_ONCE):
            for balls in self.around_b:
                balls.update(i[span], j[span], squared[span])
            for balls in self.around_a:
                balls.update(j[span], i[span], squared[span])


def _inner(
    gram: Tensor, a: _Points, rows: slice, b: _Points, columns: slice
) -> Iterator[tuple[slice, Tensor]]:
    """x . y / D from a block of products of units, a few rows [r, c] at once."""
    share, dtype = a.scale * b.scale / a.unit.shape[1], a.kernel_dtype
    left, right = _sums(a.kernel_offset[rows].to(dtype), b.kernel_offset[columns].to(dtype))
    for part in _spans(len(gram), KERNEL_ROWS if gram.device.type == "cpu" else len(gram)):
        inner = torch.addmm(gram[part].to(dtype), left[part], right, beta=share)
        yield slice(rows.start + part.start, rows.start + part.stop), inner


def _cubes(inner: Tensor) -> float:
    """Sum of (x . y / D + 1)^3, by its distance from 1, which float32 keeps however small."""
    beyond = (inner + 3).mul_(inner).add_(3)
    return float(torch.dot(beyond.flatten(), inner.flatten())) + inner.numel()


class _Cosines:
    """The largest |cos| of each point to any of another set, so far."""

    def __init__(self, points: _Points, others: _Points) -> None:
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
    for span in _spans(len(points), max(1, REFINE_ELEMENTS // points.shape[1])):
        a, b = points[span].double(), others[indices[span]].double()
        norms = torch.linalg.vector_norm(a, dim=1) * torch.linalg.vector_norm(b, dim=1)
        result[span] = 1 - (a * b).sum(dim=1).div_(norms).abs_()
    return result.clamp_min_(0)


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
    count, kernel_sum = len(points), 0.0
    candidates = _Candidates(count, min(k + SPARE_CANDIDATES, count - 1), points.device)
    spans = _spans(count, _block_size(points, block))
    pairs = [(each, each) for each in spans]  # first, so that few of the others are candidates
    pairs += itertools.combinations(spans, 2)
    with full_precision():
        for rows, columns in pairs:
            gram = _gram(ready, rows, ready, columns)
            if kernel:
                total = sum(_cubes(part) for _, part in _inner(gram, ready, rows, ready, columns))
                kernel_sum += total if rows == columns else 2 * total
            squared = _squared(gram, ready, rows, ready, columns)
            if rows == columns:
                squared.fill_diagonal_(torch.inf)
            i, j = _within(squared, candidates.bound(rows)[:, None], candidates.bound(columns))
            near, i, j = squared[i, j], i + rows.start, j + columns.start
            candidates.update(rows, squared, columns.start, i, j, near)
            if rows != columns:
                candidates.update(columns, squared.T, rows.start, j, i, near)
    if kernel:
        kernel_sum -= _kernel_diagonal(points)
    distances, indices = candidates.exact(ready, ready, k)
    return Neighborhood(distances, indices, kernel_sum if kernel else None)


def _kernel_diagonal(points: Tensor) -> float:
    return float((row_norms(points).square() / points.shape[1] + 1).pow(3).sum())


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
        for rows, columns in itertools.product(_spans(len(a), size), _spans(len(b), size)):
            squared = _squared(_gram(a, rows, b, columns), a, rows, b, columns)
            i, j = _within(squared, candidates.bound(rows)[:, None])
            near, i, j = squared[i, j], i + rows.start, j + columns.start
            candidates.update(rows, squared, columns.start, i, j, near)
    return candidates.exact(a, b, k)


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
    kernel_sum, cosines = 0.0, _Cosines(a, b) if cosine else None
    size = _block_size(points, block)
    with full_precision():
        for rows, columns in itertools.product(_spans(len(a), size), _spans(len(b), size)):
            gram = _gram(a, rows, b, columns)
            for some, inner in _inner(gram, a, rows, b, columns) if kernel or cosine else ():
                kernel_sum += _cubes(inner) if kernel else 0
                if cosines:
                    cosines.update(some, inner, columns)
            squared = _squared(gram, a, rows, b, columns)
            row_limits = torch.maximum(balls.a_reach[rows], forward.bound(rows))
            column_limits = torch.maximum(balls.b_reach[columns], backward.bound(columns))
            i, j = _within(squared, row_limits[:, None], column_limits)
            near, i, j = squared[i, j], i + rows.start, j + columns.start
            balls.update(i, j, near)
            forward.update(rows, squared, columns.start, i, j, near)
            backward.update(columns, squared.T, rows.start, j, i, near)
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
            each: BallCounts(mine.closed, mine.open, other.closed)
            for each, mine, other in zip(ks, balls.around_b, balls.around_a, strict=True)
        },
        kernel_sum=kernel_sum if kernel else None,
        cosine_distances=cosines.distances() if cosines else None,
    )
