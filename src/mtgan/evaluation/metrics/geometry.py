"""Geometry score: do two point clouds have the same holes?

Definition (Khrulkov & Oseledets 2018, "Geometry score: a method for comparing generative
adversarial networks", algorithms 1 and 2): L landmarks are drawn with replacement from the points;
the witness complex of landmarks and all points grows from 0 to alpha_max = gamma times the
largest distance between them. The relative living time RLT(i) is the share of that stretch in
which there are exactly i one-dimensional holes (i < i_max; a stretch with more is dropped). MRLT
is its mean over many draws, and the score the sum of squared differences of two sets' MRLT.

Defaults as published: L = 64, gamma = (1/128) (N/5000), i_max = 100; 1000 draws there, 100 here,
since each takes tens of milliseconds (`draws` says). Distances are taken in float64 between the
points as they are; the sorted table of witnesses is cut where it can no longer matter.

Range [0, about 2], lower is better (often quoted times 1000). No units.

Pitfalls: gamma grows with N, so only equal N compare; when most of MRLT lies beyond i_max, gamma
is too large for the data and the score is empty (`dropped` tells); costly in high dimensions.
Needs the extra `topology`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.metrics.inputs import Array, as_feature_pair, as_features, positive

HOLE_DIMENSION = 1
TOP_DIMENSION = 2


@dataclass(frozen=True, eq=False)
class GeometryScore:
    """The score (`value`), the mean relative living times [i_max] of both sets, and what is lost.

    Attributes:
        dropped: The larger share of the two sets' living time with i_max holes or more.
    """

    value: float
    samples: np.ndarray
    reference: np.ndarray
    dropped: float

    def __float__(self) -> float:
        return self.value


def _gudhi() -> ModuleType:
    try:
        import gudhi
    except ImportError as error:
        raise UserError(
            "The geometry score needs the package gudhi: pip install 'mtgan[topology]'."
        ) from error
    return gudhi


def relative_living_time(intervals: np.ndarray, alpha_max: float, i_max: int) -> np.ndarray:
    """Shares of [0, alpha_max] with exactly i < i_max of the intervals [n, 2] alive, [i_max]."""
    result = np.zeros(i_max)
    if len(intervals) == 0 or alpha_max <= 0:
        result[0] = 1.0
        return result
    births, deaths = intervals[:, 0], np.minimum(intervals[:, 1], alpha_max)
    edges = np.unique(np.concatenate([[0.0, alpha_max], births, deaths]))
    middles = (edges[1:] + edges[:-1]) / 2
    alive = np.searchsorted(np.sort(births), middles, "right") - np.searchsorted(
        np.sort(deaths), middles, "right"
    )
    lengths = np.diff(edges)
    counted = alive < i_max
    np.add.at(result, alive[counted], lengths[counted] / alpha_max)
    return result


def _witness_table(squared: Tensor, alpha_max: float) -> list[list[tuple[int, float]]]:
    """Per witness its landmarks by distance, cut where no simplex of dimension 2 can reach.

    A witness adds a triangle that omits nearer landmarks only if all of it lies within alpha_max
    of the nearest omitted one, which is at most the third.
    """
    landmarks, width = squared.shape[1], 8
    while True:
        found, order = squared.topk(min(width, landmarks), dim=1, largest=False)
        values = found.clamp_min(0).sqrt()
        within = values <= (values[:, : TOP_DIMENSION + 1].amax(dim=1) + alpha_max)[:, None]
        if width >= landmarks or not bool(within[:, -1].any()):
            break
        width *= 2
    lengths = within.sum(dim=1).tolist()
    widest = max(lengths)
    near, index = values[:, :widest].tolist(), order[:, :widest].tolist()
    return [list(zip(i[:n], d[:n])) for i, d, n in zip(index, near, lengths, strict=True)]  # noqa: B905


def _living_times(
    points: Tensor, landmarks: int, gamma: float | None, i_max: int, draws: int, seed: int
) -> Iterator[np.ndarray]:
    gudhi = _gudhi()
    share = len(points) / 5000 / 128 if gamma is None else gamma
    norms = points.square().sum(dim=1)
    generator = np.random.default_rng(seed)
    for _ in range(draws):
        chosen = torch.from_numpy(generator.integers(len(points), size=landmarks))
        chosen = chosen.to(points.device)
        squared = torch.addmm(norms[chosen], points, points[chosen].T, alpha=-2)
        squared.add_(norms[:, None])
        squared[chosen, torch.arange(landmarks, device=points.device)] = 0.0
        alpha_max = share * float(squared.max().clamp_min(0).sqrt())
        complex_ = gudhi.WitnessComplex(_witness_table(squared.cpu(), alpha_max))
        tree = complex_.create_simplex_tree(
            max_alpha_square=alpha_max, limit_dimension=TOP_DIMENSION
        )
        tree.compute_persistence(homology_coeff_field=2)
        intervals = np.asarray(tree.persistence_intervals_in_dimension(HOLE_DIMENSION))
        yield relative_living_time(intervals.reshape(-1, 2), alpha_max, i_max)


def mean_relative_living_times(
    points: Array,
    landmarks: int = 64,
    gamma: float | None = None,
    i_max: int = 100,
    draws: int = 100,
    seed: int = 0,
) -> np.ndarray:
    """MRLT float64 [i_max] of points [N, D]; compute it once for a reference.

    Args:
        landmarks: L, landmarks per draw.
        gamma: alpha_max over the largest distance; None takes (1/128) (N/5000).
        i_max: Number of holes from which living time is dropped.
        draws: Draws of landmarks that are averaged.
        seed: Draws them.
    """
    for value, name in ((landmarks, "landmarks"), (i_max, "i_max"), (draws, "draws")):
        positive(value, name)
    if gamma is not None and not gamma > 0:
        raise UserError(f"gamma must be above zero, found {gamma}.")
    cloud = as_features(points, "points", minimum=landmarks).double()
    cloud = cloud - cloud.mean(dim=0)
    times = list(_living_times(cloud, landmarks, gamma, i_max, draws, seed))
    return np.mean(times, axis=0)


def geometry_score(
    samples: Array,
    reference: Array,
    landmarks: int = 64,
    gamma: float | None = None,
    i_max: int = 100,
    draws: int = 100,
    seed: int = 0,
) -> GeometryScore:
    """Geometry score of points `samples` [M, D] against `reference` [N, D].

    Arguments as in `mean_relative_living_times`. Both sets must have one size, unless gamma is
    given. Raises UserError without gudhi, for NaN, different D, unequal sizes, and fewer points
    than landmarks.
    """
    _gudhi()
    points, real = as_feature_pair(samples, reference)
    if gamma is None and len(points) != len(real):
        raise UserError(
            f"{len(points)} samples and {len(real)} reference points: gamma depends on their "
            "number, so give equal numbers, or a gamma."
        )
    mine, theirs = (
        mean_relative_living_times(each, landmarks, gamma, i_max, draws, seed)
        for each in (points, real)
    )
    dropped = 1 - min(float(mine.sum()), float(theirs.sum()))
    return GeometryScore(float(((mine - theirs) ** 2).sum()), mine, theirs, max(dropped, 0.0))
