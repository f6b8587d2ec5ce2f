"""Frechet distance of two Gaussians fitted to features.

Definition: |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), with m the means and S the covariances
(1/(N - 1)) of the features of two sets. On the features of the 2015 Inception network it is
the FID (Heusel et al. 2017, "GANs trained by a two time-scale update rule", equation 6); on
other features it is not an FID and must not be called one.

Range [0, inf), lower is better, in squared units of the features.

Pitfalls: the estimate is biased upward by about c/N with a c that depends on the generator, so
only values at equal N (of both sets) compare; a covariance in float32 is wrong by 0.1-0.3 %;
resizing and JPEG artifacts move it more than many models differ. It hides broken class control
and is nearly blind to the loss of some modes (see `intra_class_frechet`, `density_coverage`).
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.metrics.inputs import (
    Array,
    as_features,
    as_tensor,
    at_least_zero,
    column_means,
    warn_few,
)
from mtgan.evaluation.metrics.products import (
    add_symmetric,
    mirror,
    symmetric_product,
    triangular_product,
)

BLOCK_ROWS = 1024


@dataclass(frozen=True, eq=False)
class GaussianStatistics:
    """Mean and covariance of one feature set in float64, in whichever form is exact and cheap.

    Attributes:
        count: N.
        mean: [D].
        rows: With N <= D, the centered samples / sqrt(N - 1), [N, D]: covariance = rows' rows.
        moments: With N > D, the covariance [D, D].
    """

    count: int
    mean: Tensor
    rows: Tensor | None = None
    moments: Tensor | None = None

    @classmethod
    def from_features(cls, features: Array, name: str = "features") -> "GaussianStatistics":
        """Statistics of features [N, D]; the sums are float64, taken in blocks of rows."""
        points = as_features(features, name)
        count, width = points.shape
        mean = column_means(points)
        if count <= width:
            return cls(count, mean, rows=(points.double() - mean) / (count - 1) ** 0.5)
        moments = mean.new_zeros(width, width)
        for block in points.split(BLOCK_ROWS):
            add_symmetric(moments, block.double() - mean)
        return cls(count, mean, moments=mirror(moments).div_(count - 1))

    @classmethod
    def from_moments(cls, mean: Array, covariance: Array, count: int) -> "GaussianStatistics":
        """Statistics that somebody else computed: mean [D], covariance [D, D], from N samples."""
        center = as_tensor(mean, "mean").double()
        matrix = as_tensor(covariance, "covariance").double()
        if center.ndim != 1 or matrix.shape != (len(center), len(center)):
            raise UserError(
                f"mean {tuple(center.shape)} and covariance {tuple(matrix.shape)} do not belong "
                "together: give [D] and [D, D]."
            )
        if not bool(torch.isfinite(center).all() and torch.isfinite(matrix).all()):
            raise UserError("The mean or covariance holds NaN or infinite values.")
        return cls(count, center, moments=(matrix + matrix.T) / 2)

    @property
    def width(self) -> int:
        """D."""
        return len(self.mean)

    @property
    def rank(self) -> int:
        """The most that the covariance's rank can be."""
        return min(self.count - 1, self.width)

    @property
    def trace(self) -> float:
        """Total variance."""
        if self.rows is not None:
            return float(self.rows.square().sum())
        assert self.moments is not None
        return float(self.moments.trace())

    @cached_property
    def covariance(self) -> Tensor:
        """The covariance [D, D], whichever form is stored."""
        if self.moments is not None:
            return self.moments
        assert self.rows is not None
        return symmetric_product(self.rows)

    @cached_property
    def _triangle(self) -> Tensor | None:
        """The factor by Cholesky, upper triangular; None where there is none or no need of it.

        It costs a tenth of the eigenvalues, which serve singular covariances (dead features).
        """
        if self.rows is not None:
            return None
        upper, failed = torch.linalg.cholesky_ex(self.covariance, upper=True)
        return None if failed else upper

    @cached_property
    def factor(self) -> Tensor:
        """F with covariance = F' F: the rows, or by Cholesky, or by eigenvalues."""
        if self.rows is not None:
            return self.rows
        if self._triangle is not None:
            return self._triangle
        values, vectors = torch.linalg.eigh(self.covariance)
        return vectors.mul(values.clamp_min(0).sqrt()).T.contiguous()

    def times_factor(self, points: Tensor) -> Tensor:
        """points F' [N, len(F)], of points [N, D]."""
        factor = self.factor
        if self._triangle is None:
            return points @ factor.T
        return triangular_product(points, factor)

    def root_trace(self, rank: int) -> float:
        """Sum of the roots of the `rank` largest eigenvalues of the covariance."""
        if self.rows is not None:
            return root_trace(symmetric_product(self.rows.T), rank)
        return root_trace(self.covariance, rank)

    def is_factored(self) -> bool:
        """Whether `factor` costs nothing: low rank, or computed before."""
        return self.rows is not None or "factor" in self.__dict__


def root_trace(matrix: Tensor, rank: int) -> float:
    """Sum of the square roots of the `rank` largest eigenvalues of a symmetric matrix [n, n].

    The others of a rank-deficient matrix are zero but for rounding, which roots would magnify.
    """
    return float(torch.linalg.eigvalsh(matrix)[-rank:].clamp_min(0).sqrt().sum())


def _cross_trace(a: GaussianStatistics, b: GaussianStatistics) -> float:
    """tr (Sa Sb)^(1/2), without a matrix square root.

    With Sa = A'A and Sb = B'B it is the nuclear norm of A B', or the sum of the square roots of
    the eigenvalues of A Sb A'. The first is exact for low rank and needs no added epsilon; the
    second costs one symmetric eigenvalue problem when A is known.
    """
    if a.rows is not None and b.rows is not None:
        return float(torch.linalg.svdvals(a.rows @ b.rows.T).sum())
    ready = sorted((s for s in (b, a) if s.is_factored()), key=lambda s: len(s.factor))
    known = ready[0] if ready else b
    other = a if known is b else b
    half = known.times_factor(other.covariance)
    return root_trace(known.times_factor(half.T), min(a.rank, b.rank))


def frechet_from_statistics(a: GaussianStatistics, b: GaussianStatistics) -> float:
    """Frechet distance of two fitted Gaussians. The factor of `b` is computed once and kept."""
    if a.width != b.width:
        raise UserError(
            f"The statistics have {a.width} and {b.width} features: "
            "take both from the same feature extractor."
        )
    shift = float((a.mean - b.mean.to(a.mean.device)).square().sum())
    spread = a.trace + b.trace
    return at_least_zero(shift + spread - 2 * _cross_trace(a, b), shift + spread)


def warn_if_rank_deficient(count: int, width: int) -> None:
    """Warn when the covariance of so many samples cannot have full rank."""
    if count <= width:
        warn_few(
            f"Frechet distance of {count} samples in {width} dimensions: the covariance is "
            "singular and the value far above its limit; compare it only at equal sample counts."
        )


def frechet_distance(
    samples: Array | GaussianStatistics, reference: Array | GaussianStatistics
) -> float:
    """Frechet distance between features `samples` [M, D] and `reference` [N, D].

    Either may be given by its statistics instead, which saves computing them again.

    Range [0, inf), lower is better. Warns (SmallSampleWarning) when a set has no more samples
    than features; raises UserError for NaN, for different D, and for fewer than two samples.
    """
    fitted, real = (
        each
        if isinstance(each, GaussianStatistics)
        else GaussianStatistics.from_features(each, name)
        for each, name in ((samples, "samples"), (reference, "reference"))
    )
    warn_if_rank_deficient(min(fitted.count, real.count), fitted.width)
    return frechet_from_statistics(fitted, real)
