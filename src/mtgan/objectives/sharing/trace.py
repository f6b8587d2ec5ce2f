"""The trace norm of the shared weights (Yang & Hospedales 2016)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mtgan.parts import NORMS


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
