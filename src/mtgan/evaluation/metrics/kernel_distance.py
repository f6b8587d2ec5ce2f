"""Kernel distance: unbiased squared maximum mean discrepancy with a cubic kernel.

Definition: mean over i != j of k(x_i, x_j) + the same of y - 2 mean of k(x_i, y_j), with
k(x, y) = (x . y / D + 1)^3 (Binkowski et al. 2018, "Demystifying MMD GANs", section 4.1 and
equation 4). On the features of the 2015 Inception network it is the KID.

By default it is taken over the full sets (no random draw, smallest variance). With `subsets` it
is the published protocol: the mean over that many random subsets of `subset_size`, drawn without
replacement. The spread of those subsets is no standard error and is not reported.

Range: (-inf, inf); about 0 for equal distributions, where it is as often negative as positive.
Lower is better. Unbiased at any N. Units: the kernel's, so values depend on the feature scale.

Pitfalls: nearly blind to the loss of modes (half the classes gone still scored 0.98 between real
data and noise); depends on the scale of the features, which is not normalized away.
"""

import torch
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.base import Outcome, Output, register_metric
from mtgan.evaluation.pairwise.arrays import Array, as_feature_pair, positive
from mtgan.evaluation.pairwise.pairs import PairwisePass

BLOCK = 2048


def _kernel_sum(a: Tensor, b: Tensor) -> float:
    """Sum of the kernel over all pairs; over i != j when a is b."""
    width = a.shape[1]
    total = 0.0
    for i in range(0, len(a), BLOCK):
        for j in range(i if a is b else 0, len(b), BLOCK):
            inner = (a[i : i + BLOCK] @ b[j : j + BLOCK].T).div_(width).add_(1)
            if a is b and i == j:
                inner.fill_diagonal_(0)
            block = float((inner * inner).mul_(inner).sum())
            total += block if a is not b or i == j else 2 * block
    return total


def _unbiased(own: float, theirs: float, cross: float, m: int, n: int) -> float:
    return own / (m * (m - 1)) + theirs / (n * (n - 1)) - 2 * cross / (m * n)


def _distance(a: Tensor, b: Tensor) -> float:
    return _unbiased(_kernel_sum(a, a), _kernel_sum(b, b), _kernel_sum(a, b), len(a), len(b))


def kernel_distance_from_pass(passed: PairwisePass) -> float:
    """Kernel distance from the sums of a pass that was taken with `kernel=True`.

    Its products and kernels are float32: it is off by at most about 1e-7 of the mean kernel value.
    """
    sums = (passed.samples.kernel_sum, passed.reference.kernel_sum, passed.kernel_sum)
    if any(total is None for total in sums):
        raise UserError("The pass was taken without kernel sums: ask for kernel=True.")
    own, theirs, cross = (float(total) for total in sums if total is not None)
    return _unbiased(own, theirs, cross, len(passed.samples), len(passed.reference))


def kernel_distance(
    samples: Array,
    reference: Array,
    subsets: int | None = None,
    subset_size: int = 1000,
    seed: int = 0,
) -> float:
    """Kernel distance between features `samples` [M, D] and `reference` [N, D], in float64.

    Args:
        subsets: Number of random subsets; None takes the full sets.
        subset_size: Size of each subset.
        seed: Draws the subsets.

    Raises UserError for NaN, different D, sets of fewer than two points or than `subset_size`.
    """
    points, real = (features.double() for features in as_feature_pair(samples, reference))
    if subsets is None:
        return _distance(points, real)
    positive(subsets, "subsets")
    positive(subset_size, "subset_size", 2)
    if min(len(points), len(real)) < subset_size:
        raise UserError(
            f"subset_size is {subset_size}, but there are only {len(points)} samples and "
            f"{len(real)} reference points: give more, or lower subset_size."
        )
    generator = torch.Generator().manual_seed(seed)

    def draw(features: Tensor) -> Tensor:
        rows = torch.randperm(len(features), generator=generator)[:subset_size]
        return features[rows.to(features.device)]

    return sum(_distance(draw(points), draw(real)) for _ in range(subsets)) / subsets


@register_metric(
    "kernel_distance",
    Output("kernel_distance", "lower", "distribution", "distance"),
    source="Binkowski et al. 2018",
    function=kernel_distance,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Unbiased squared maximum mean discrepancy under a cubic kernel; KID on Inception."""
    return Outcome({"kernel_distance": kernel_distance_from_pass(comparison.pairs)})
