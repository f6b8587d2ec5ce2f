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

import math

import torch

from mtgan.errors import UserError
from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.base import Outcome, Output, register_metric
from mtgan.evaluation.pairwise.arrays import (
    Array,
    at_least_zero,
    warn_few,
)
from mtgan.evaluation.pairwise.gaussian import GaussianStatistics, root_trace


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
        given
        if isinstance(given, GaussianStatistics)
        else GaussianStatistics.from_features(given, name)
        for given, name in ((samples, "samples"), (reference, "reference"))
    )
    warn_if_rank_deficient(min(fitted.count, real.count), fitted.width)
    return frechet_from_statistics(fitted, real)


@register_metric(
    "frechet_distance",
    Output("frechet_distance", "lower", "distribution", "distance", range=(0, math.inf)),
    source="Heusel et al. 2017",
    function=frechet_distance,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Frechet distance of Gaussians fitted to the features; FID when they are Inception's."""
    mine, theirs = comparison.generated.statistics, comparison.reference.statistics
    return Outcome({"frechet_distance": frechet_from_statistics(mine, theirs)})
