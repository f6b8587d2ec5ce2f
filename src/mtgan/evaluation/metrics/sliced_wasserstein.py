"""Sliced Wasserstein distance: no Gaussian, no kernel, no covariance.

Definition: the squared 2-Wasserstein distance between the projections of both sets onto a random
unit direction, averaged over directions, times 3 D (the scale of MIND, arXiv 2605.06797, which
makes values of different D comparable). For N = M it is 3 D / (N R) times the sum over R
directions of squared gaps of sorted projections; for other sizes the exact distance of the two
step functions is taken. The plain sliced distance is sqrt(value / (3 D)).

Range [0, inf), lower is better, in squared units of the features. O((N + M) D R) time.

Pitfalls: biased upward by about 1/N, so compare at equal N; random directions (fix the seed).
"""

import math

import torch
from torch import Tensor

from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.base import Outcome, Output, register_metric
from mtgan.evaluation.pairwise.arrays import Array, as_feature_pair, positive

DIRECTIONS_AT_ONCE = 64


def random_directions(width: int, count: int, seed: int) -> Tensor:
    """Unit vectors float64 [width, count]."""
    generator = torch.Generator().manual_seed(seed)
    normal = torch.randn(count, width, generator=generator, dtype=torch.float64).T
    return normal / torch.linalg.vector_norm(normal, dim=0, keepdim=True)


def _steps(m: int, n: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Sorted positions in sets of m and n that share each stretch of probability, and its length.

    In whole numbers: the stretches end at multiples of n and of m on a scale of m n.
    """
    ends = torch.cat([torch.arange(1, m + 1) * n, torch.arange(1, n + 1) * m]).unique()
    starts = torch.cat([torch.zeros(1, dtype=torch.int64), ends[:-1]])
    lengths = (ends - starts).double() / (m * n)
    return (starts // n).to(device), (starts // m).to(device), lengths.to(device)


def sliced_wasserstein(
    samples: Array, reference: Array, directions: int = 1000, seed: int = 0
) -> float:
    """Scaled squared sliced distance of features `samples` [M, D] and `reference` [N, D].

    Args:
        directions: Number of random directions.
        seed: Draws them.

    Raises UserError for NaN, different D, and empty sets.
    """
    positive(directions, "directions")
    points, real = (features.double() for features in as_feature_pair(samples, reference, 1))
    width = points.shape[1]
    left, right, lengths = _steps(len(points), len(real), points.device)
    total = 0.0
    for batch in (
        random_directions(width, directions, seed)
        .to(points.device)
        .split(DIRECTIONS_AT_ONCE, dim=1)
    ):
        a, b = ((batch.T @ features.T).sort(dim=1).values for features in (points, real))
        total += float((a[:, left] - b[:, right]).square_().matmul(lengths).sum())
    return 3 * width * total / directions


@register_metric(
    "sliced_wasserstein",
    Output("sliced_wasserstein", "lower", range=(0, math.inf)),
    resampled=False,
    source="arXiv 2605.06797",
    function=sliced_wasserstein,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Squared Wasserstein distance averaged over random directions: no Gaussian, no kernel."""
    value = sliced_wasserstein(
        comparison.generated.points,
        comparison.reference.points,
        seed=comparison.context.seed,
    )
    return Outcome({"sliced_wasserstein": value})
