"""Soft sharing: a penalty that draws the first layers of two networks together."""

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


@NORMS.register("trace")
def trace_norm(first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    """Sum over layers of trace norms of the two weights as rows (Yang & Hospedales 2016).

    Each layer's two weight tensors, flattened, are the rows of a [2, P] matrix; the sum of its
    singular values is smallest, for given lengths, where the two are parallel. From the 2 x 2
    Gram matrix with trace t and determinant d it is sqrt(t + 2 sqrt(d)), which needs no SVD.
    """
    values = []
    for a, b in zip(first, second, strict=True):
        aa, bb, ab = a.square().sum(), b.square().sum(), (a * b).sum()
        # The floor keeps both roots differentiable for parallel or vanishing weights.
        floor = torch.finfo(a.dtype).eps * (aa + bb) ** 2 + torch.finfo(a.dtype).tiny
        determinant = (aa * bb - ab * ab).clamp_min(0) + floor
        values.append((aa + bb + 2 * determinant.sqrt()).sqrt())
    return torch.stack(values).sum()


def shared_distance(norm: str, first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    """The named norm of the difference (or, for "trace", of the stack) of two lists of weights."""
    return NORMS.get(norm)(first, second)
