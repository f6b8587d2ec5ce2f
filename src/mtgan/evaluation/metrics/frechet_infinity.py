"""Frechet distance extrapolated to infinitely many samples.

Definition (Chong & Forsyth 2020, "Effectively unbiased FID and Inception score and where to find
them", section 4): the Frechet distance at several sample counts n is fitted by a + b/n with
least squares, and a is reported. The counts run evenly from min(5000, N/10) to N; the subsets are
prefixes of one random order.

The paper varies the generated side alone. That leaves the bias of a finite reference in the
result (44-49 between two sets of real images where 12 remained otherwise), so the default varies
both sides at equal n; `both_sides=False` is the published form.

Range (-inf, inf), lower is better, in squared units of the features. The bias falls as 1/n only
once n is several times the effective rank of the covariance: with few samples the fit bends, and
the standard error, which knows the scatter about the line alone, says nothing of it. As the
subsets are nested, their scatter is correlated and the standard error rather too small.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.base import Outcome, Output, register_metric
from mtgan.evaluation.metrics.frechet_distance import (
    frechet_from_statistics,
    warn_if_rank_deficient,
)
from mtgan.evaluation.pairwise.arrays import (
    Array,
    as_feature_pair,
    at_least_zero,
    column_means,
    positive,
)
from mtgan.evaluation.pairwise.gaussian import BLOCK_ROWS, GaussianStatistics
from mtgan.evaluation.pairwise.products import add_symmetric, mirror


@dataclass(frozen=True)
class FrechetInfinity:
    """The intercept (`value`) of a line through `distances` over 1 / `sizes`, and its slope."""

    value: float
    standard_error: float
    slope: float
    sizes: tuple[int, ...]
    distances: tuple[float, ...]

    def __float__(self) -> float:
        return self.value


def extrapolate(sizes: tuple[int, ...], distances: tuple[float, ...]) -> FrechetInfinity:
    """Fit distances = a + b / sizes and report a."""
    y = torch.tensor(distances, dtype=torch.float64)
    inverse = 1 / torch.tensor(sizes, dtype=torch.float64)
    spread = inverse - inverse.mean()
    slope = (spread @ y) / (spread @ spread)
    intercept = y.mean() - slope * inverse.mean()
    residual = y - intercept - slope * inverse
    variance = (residual @ residual) / (len(y) - 2)
    error = (variance * (1 / len(y) + inverse.mean() ** 2 / (spread @ spread))).sqrt()
    return FrechetInfinity(float(intercept), float(error), float(slope), sizes, distances)


def frechet_infinity(
    samples: Array,
    reference: Array,
    points: int = 15,
    smallest: int | None = None,
    both_sides: bool = True,
    seed: int = 0,
) -> FrechetInfinity:
    """Frechet distance between features `samples` [M, D] and `reference` [N, D] at infinite N.

    Args:
        points: Number of sample counts.
        smallest: Smallest count; None takes min(5000, N/10).
        both_sides: Whether the reference shrinks along with the samples.
        seed: Orders the rows, of which each subset is a prefix.

    Raises UserError for NaN, different D, fewer than three points, and too narrow a range.
    """
    positive(points, "points", 3)
    generated, real = as_feature_pair(samples, reference)
    largest = min(len(generated), len(real)) if both_sides else len(generated)
    first = (
        max(2, min(5000, largest // 10)) if smallest is None else positive(smallest, "smallest", 2)
    )
    sizes = torch.linspace(first, largest, points, dtype=torch.float64).round().long()
    if len(sizes.unique()) < points or first >= largest:
        raise UserError(
            f"{points} sample counts between {first} and {largest} are not distinct: "
            "give more samples, fewer points or another smallest count."
        )
    generator = torch.Generator().manual_seed(seed)

    def shuffled(features: Tensor) -> Tensor:
        return features[torch.randperm(len(features), generator=generator).to(features.device)]

    generated, counts = shuffled(generated), sizes.tolist()
    if both_sides:
        real = shuffled(real)
        center = column_means(real)
        mine, theirs = (_of_prefixes(features, counts, center) for features in (generated, real))
        distances = [frechet_from_statistics(*pair) for pair in zip(mine, theirs, strict=True)]
    else:
        distances = list(_to_whole(generated, counts, GaussianStatistics.from_features(real)))
    warn_if_rank_deficient(min(largest, len(real)), generated.shape[1])
    return extrapolate(tuple(counts), tuple(distances))


def _of_prefixes(
    features: Tensor, counts: Sequence[int], center: Tensor, real: GaussianStatistics | None = None
) -> Iterator[GaussianStatistics]:
    """Statistics of the first n rows for each rising n, around a center and times real's factor'.

    Every row is multiplied and summed once.
    """

    def moved(rows: Tensor) -> Tensor:
        centered = rows.double() - center
        return centered if real is None else real.times_factor(centered)

    width = len(center if real is None else real.factor)
    total, moments = center.new_zeros(width), center.new_zeros(width, width)
    for done, n in itertools.pairwise((0, *counts)):
        for block in features[done:n].split(BLOCK_ROWS):
            points = moved(block)
            total += points.sum(dim=0)
            add_symmetric(moments, points)
        mean = total / n
        if n <= width:
            yield GaussianStatistics(n, mean, rows=(moved(features[:n]) - mean) / (n - 1) ** 0.5)
        else:
            covariance = torch.addr(mirror(moments), mean, mean, alpha=-n).div_(n - 1)
            yield GaussianStatistics(n, mean, moments=covariance)


def _to_whole(features: Tensor, counts: Sequence[int], real: GaussianStatistics) -> Iterator[float]:
    """Distances of the first n rows, for each rising n, to all of the reference.

    With its covariance F'F, tr (Sn F'F)^(1/2) is the sum of the roots of the spectrum of F Sn F',
    the covariance of rows times F': these are multiplied once, not for every n.
    """
    squares, total, done = 0.0, torch.zeros_like(real.mean), 0
    for projected in _of_prefixes(features, counts, real.mean, real):
        n = projected.count
        for block in features[done:n].split(BLOCK_ROWS):
            centered = block.double() - real.mean
            squares += float(centered.square().sum())
            total += centered.sum(dim=0)
        done = n
        shift = float((total / n).square().sum())
        spread = (squares - n * shift) / (n - 1) + real.trace
        cross = projected.root_trace(min(n - 1, real.rank))
        yield at_least_zero(shift + spread - 2 * cross, shift + spread)


@register_metric(
    "frechet_infinity",
    Output("frechet_infinity", "lower"),
    resampled=False,
    source="Chong & Forsyth 2020",
    function=frechet_infinity,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Frechet distance, extrapolated to infinitely many samples on both sides."""
    found = frechet_infinity(
        comparison.generated.points,
        comparison.reference.points,
        seed=comparison.context.seed,
    )
    return Outcome({"frechet_infinity": found.value})
