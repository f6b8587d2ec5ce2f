"""Which balls around points of one set hold the points of another.

Source: Kynkaanniemi et al. 2019 and Naeem et al. 2020 (the radius of the k-th neighbor).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtgan.evaluation.pairwise.blocks import TIE, Points, exact_squared, row_blocks

PAIRS_AT_ONCE = 1 << 20
"""Pairs that are counted at once; only degenerate sets have more in a block."""


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


class _Balls:
    """Counts, for points of one set, the balls around the points of another that hold them."""

    def __init__(self, points: Points, centers: Points, radii: Tensor) -> None:
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
        exact = exact_squared(self.points.exact, i, self.centers.exact, j)
        radii = self.squared_radii[j]
        return exact <= radii * (1 + TIE), exact < radii * (1 - TIE)


class PairedBalls:
    """The balls of either set against the points of the other.

    Balls hold few points: each block is compared once with the widest balls of its rows and
    columns (`a_reach`, `b_reach`), and all counting is done on what passes.
    """

    def __init__(
        self, a: Points, b: Points, a_radii: Sequence[Tensor], b_radii: Sequence[Tensor]
    ) -> None:
        self.around_b = [_Balls(a, b, radii) for radii in b_radii]
        self.around_a = [_Balls(b, a, radii) for radii in a_radii]
        self.a_reach, self.b_reach = (
            torch.stack([balls.limits + balls.margins for balls in around]).amax(dim=0)
            for around in (self.around_a, self.around_b)
        )
        self.a_reach += b.slack.max()
        self.b_reach += a.slack.max()

    def update(self, i: Tensor, j: Tensor, squared: Tensor) -> None:
        """Take in pairs (a's i, b's j) and their squared distances of units, each once."""
        for span in row_blocks(len(i), PAIRS_AT_ONCE):
            for balls in self.around_b:
                balls.update(i[span], j[span], squared[span])
            for balls in self.around_a:
                balls.update(j[span], i[span], squared[span])
