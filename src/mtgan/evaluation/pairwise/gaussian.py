"""Mean and covariance of features, in whichever form is exact and cheap.

Legend: N samples, D features.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.pairwise.arrays import Array, as_features, as_tensor, column_means
from mtgan.evaluation.pairwise.products import (
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
