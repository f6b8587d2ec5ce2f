"""Memorization-informed Frechet distance (MiFID).

Definition (Bai et al. 2021, "On training sample memorization: lessons from benchmarking generative
modeling with a large-scale competition", section 3): the Frechet distance divided by the
memorization distance m where m is below a threshold, else by 1; m is the mean over *generated*
samples of the least cosine distance 1 - |cos| to a training sample. (One widely used package
averages over the real samples instead: with it, swap the roles.)

Range [0, inf), lower is better, in squared units of the features; m is in [0, 1], and 0 for copies.

Pitfalls: the published threshold 0.1 fits Inception features alone (it never triggers on others:
held-out data gave m = 0.31 in another space), so calibrate it, and report m beside; a set of
exact copies of all training data has distance 0 whatever m says.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.metrics.frechet import frechet_distance
from mtgan.evaluation.metrics.inputs import Array, as_feature_pair, full_precision

BLOCK = 2048
EPSILON = 1e-14
"""Keeps the penalty finite for exact copies, as in the competition."""


@dataclass(frozen=True)
class MemorizationFid:
    """The penalized distance (`value`), the plain one, and the memorization distance m."""

    value: float
    frechet: float
    memorization_distance: float

    def __float__(self) -> float:
        return self.value


def _unit_rows(points: Tensor, name: str) -> Tensor:
    norms = torch.linalg.vector_norm(points, dim=1, keepdim=True, dtype=torch.float64)
    if bool((norms == 0).any()):
        row = int((norms == 0).nonzero()[0, 0])
        raise UserError(f"Row {row} of {name} is all zero and has no direction: leave it out.")
    return points / norms.to(points.dtype)


def memorization_distance(samples: Array, train_reference: Array) -> float:
    """m: mean over samples [M, D] of the least 1 - |cos| to a training sample [N, D]."""
    points, real = as_feature_pair(samples, train_reference, 1, ("samples", "train_reference"))
    a, b = _unit_rows(points, "samples").float(), _unit_rows(real, "train_reference").float()
    total = 0.0
    with full_precision():
        for rows, exact in zip(a.split(BLOCK), points.split(BLOCK), strict=True):
            best = torch.full((len(rows),), -1.0, device=rows.device)
            where = torch.zeros(len(rows), dtype=torch.int64, device=rows.device)
            for start in range(0, len(b), BLOCK):
                cosine, index = (rows @ b[start : start + BLOCK].T).abs_().max(dim=1)
                where = torch.where(cosine > best, index + start, where)
                best = torch.maximum(cosine, best)
            # float32 found the neighbor; its cosine is taken again in float64.
            left, right = exact.double(), real[where].double()
            norms = torch.linalg.vector_norm(left, dim=1) * torch.linalg.vector_norm(right, dim=1)
            cosine = ((left * right).sum(dim=1) / norms).abs()
            total += float((1 - cosine).clamp_min(0).sum())
    return total / len(a)


def memorization_fid(
    samples: Array, train_reference: Array, threshold: float = 0.1
) -> MemorizationFid:
    """MiFID of features `samples` [M, D] against training features [N, D].

    Args:
        threshold: Values of m below it are penalized.

    Raises UserError for NaN, different D, rows of zeros and fewer than two samples; warns like
    `frechet_distance`.
    """
    points, real = as_feature_pair(samples, train_reference, 2, ("samples", "train_reference"))
    plain = frechet_distance(points, real)
    m = memorization_distance(points, real)
    penalty = m + EPSILON if m < threshold else 1.0
    return MemorizationFid(plain / penalty, plain, m)
