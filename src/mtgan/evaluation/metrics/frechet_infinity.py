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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.metrics.frechet import (
    BLOCK_ROWS,
    GaussianStatistics,
    frechet_from_statistics,
    warn_if_rank_deficient,
)
from mtgan.evaluation.metrics.inputs import Array, as_feature_pair, positive


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

    generated, real = shuffled(generated), shuffled(real)
    counts = sizes.tolist()
    mine = _of_prefixes(generated, counts)
    theirs = (
        _of_prefixes(real, counts)
        if both_sides
        else itertools.repeat(GaussianStatistics.from_features(real), points)
    )
    distances = []
    for pair in zip(mine, theirs, strict=True):
        distances.append(frechet_from_statistics(*pair))
    warn_if_rank_deficient(*pair)
    return extrapolate(tuple(counts), tuple(distances))


def _of_prefixes(features: Tensor, counts: Iterable[int]) -> Iterator[GaussianStatistics]:
    """Statistics of the first n rows for each rising n; every row is summed once."""
    width = features.shape[1]
    center = features.mean(dim=0, dtype=torch.float64)
    total, moments = torch.zeros_like(center), center.new_zeros(width, width)
    done = 0
    for n in counts:
        for block in features[done:n].split(BLOCK_ROWS):
            centered = block.double() - center
            total += centered.sum(dim=0)
            moments.addmm_(centered.T, centered)
        done = n
        if n <= width:
            yield GaussianStatistics.from_features(features[:n])
        else:
            shift = total / n
            covariance = (moments - n * torch.outer(shift, shift)) / (n - 1)
            yield GaussianStatistics(n, center + shift, moments=covariance)
