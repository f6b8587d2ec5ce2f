"""The distance of the shared weights (thesis, eq. 2.1)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mtgan.parts import NORMS


@NORMS.register("l2")
def l2_distance(first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    """||W_1 - W_2||_2 over all the shared layers' weights taken as one vector (thesis, eq. 2.1).

    Not squared: its gradient is a unit vector however close the weights already are, except at
    exact equality, where it is taken as zero.
    """
    squares = [(a - b).square().sum() for a, b in zip(first, second, strict=True)]
    total = torch.stack(squares).sum()
    # sqrt has an infinite slope at 0; the double `where` keeps 0 * inf out of the gradient.
    apart = total > 0
    return torch.where(apart, torch.where(apart, total, 1.0).sqrt(), 0.0)
