"""Geometry score: do two point clouds have the same holes?

Definition (Khrulkov & Oseledets 2018, "Geometry score: a method for comparing generative
adversarial networks", algorithms 1 and 2): L landmarks are drawn with replacement from the points;
the witness complex of landmarks and all points grows from 0 to alpha_max = gamma times the
largest distance between them. The relative living time RLT(i) is the share of that stretch in
which there are exactly i one-dimensional holes (i < i_max; a stretch with more is dropped). MRLT
is its mean over many draws, and the score the sum of squared differences of two sets' MRLT.

Defaults as published: L = 64, gamma = (1/128) (N/5000), i_max = 100; 1000 draws there, 100 here,
since each takes tens of milliseconds (`draws` says). Distances are taken in float64 between the
points as they are. The witness complex is built here, from the few landmarks of each witness that
can matter, and equals gudhi's of the full table; its persistent homology is gudhi's.

Range [0, about 2], lower is better (often quoted times 1000). No units.

Pitfalls: gamma grows with N, so only equal N compare; when most of MRLT lies beyond i_max, gamma
is too large for the data and the score is empty (`dropped` tells); costly in high dimensions.
Needs the extra `topology`.
"""

import importlib.util
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.data import draw
from mtgan.evaluation.metrics.base import Outcome, Output, register_metric
from mtgan.evaluation.pairwise.arrays import Array, as_feature_pair, as_features, positive

HOLE_DIMENSION = 1
TOP_DIMENSION = 2

DRAWS_AT_ONCE = 4
"""Draws of landmarks to which distances are taken in one product."""

SIGHTS_AT_ONCE = 1 << 20
"""Simplices that are held at once, repeated ones included."""


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


Sights: TypeAlias = tuple[np.ndarray, np.ndarray]
"""Simplices of landmarks, int64 [size, n], and the relaxations at which they are seen [n]."""


def _sights(order: np.ndarray, near: np.ndarray, size: int, alpha_max: float) -> Iterator[Sights]:
    """The simplices that each witness sees, repeated where several do.

    A witness sees a simplex at the gap between the simplex's farthest landmark and the nearest
    one that it omits; at 0 when it omits none that is nearer.

    Args:
        order: Landmarks by distance from each witness, int64 [L, N].
        near: Their distances, float64 [L, N].
        size: Landmarks of a simplex.
        alpha_max: The largest relaxation.
    """
    yield order[:size], np.zeros(order.shape[1])
    for omitted in range(size):
        landmarks, distances = order, near
        for last in range(size, len(order)):
            seeing = np.flatnonzero(distances[last] - alpha_max <= distances[omitted])
            if len(seeing) == 0:
                break
            landmarks, distances = landmarks[:, seeing], distances[:, seeing]
            gaps = distances[last] - distances[omitted]
            for some in itertools.combinations(range(omitted + 1, last), size - 1 - omitted):
                yield landmarks[[*range(omitted), *some, last]], gaps


def _merged(sights: Sequence[Sights], landmarks: int) -> Sights:
    """Each simplex once, its vertices ascending, with its least relaxation."""
    simplices, values = (np.concatenate(parts, axis=-1) for parts in zip(*sights, strict=True))
    shape = (landmarks,) * len(simplices)
    codes = np.ravel_multi_index(tuple(np.sort(simplices, axis=0)), shape)
    found, place = np.unique(codes, return_inverse=True)
    least = np.full(len(found), np.inf)
    np.minimum.at(least, place, values)
    return np.stack(np.unravel_index(found, shape)), least


def _least(sights: Iterable[Sights], landmarks: int) -> Sights:
    """The same of any number of sights, of which few are held at once."""
    held: list[Sights] = []
    count = 0
    for sight in sights:
        held.append(sight)
        count += len(sight[1])
        if count > SIGHTS_AT_ONCE:
            held = [_merged(held, landmarks)]
            count = 0
    return _merged(held, landmarks)


def _nearest(squared: np.ndarray, alpha_max: float) -> tuple[np.ndarray, np.ndarray]:
    """Landmarks and distances [L', N] from squared ones [N, L], as far as they can matter.

    No simplex reaches beyond alpha_max from the nearest landmark that it omits, which is at most
    the third of a triangle's witness.
    """
    order, width = squared.argsort(axis=1).T, 8
    while True:
        near = np.sqrt(np.take_along_axis(squared.T, order[:width], axis=0))
        beyond = near[-1] - alpha_max > near[: TOP_DIMENSION + 1][-1]
        if width >= len(order) or beyond.all():
            return np.ascontiguousarray(order[:width]), near
        width *= 2


def _holes(squared: np.ndarray, alpha_max: float) -> np.ndarray:
    """Births and deaths [n, 2] of holes in the witness complex of squared distances [N, L].

    The weak relaxed complex of de Silva & Carlsson 2004, "Topological estimation using witness
    complexes": a simplex is there from the largest relaxation of its own and of its faces. Every
    landmark is a point and witnesses itself, so all vertices are there from 0.
    """
    landmarks = squared.shape[1]
    order, near = _nearest(squared, alpha_max)
    tree = _gudhi().SimplexTree()
    tree.insert_batch(np.arange(landmarks)[None], np.zeros(landmarks))
    known = np.full((landmarks, landmarks), np.inf)
    for size in range(2, min(TOP_DIMENSION + 1, landmarks) + 1):
        simplices, values = _least(_sights(order, near, size, alpha_max), landmarks)
        if size == 2:
            known[tuple(simplices)] = values
        else:
            for edge in itertools.combinations(simplices, 2):
                values = np.maximum(values, known[edge])
        there = values < np.inf
        tree.insert_batch(simplices[:, there], values[there])
    tree.compute_persistence(homology_coeff_field=2)
    return np.asarray(tree.persistence_intervals_in_dimension(HOLE_DIMENSION)).reshape(-1, 2)


def _living_times(
    points: Tensor, landmarks: int, gamma: float | None, i_max: int, draws: int, seed: int
) -> Iterator[np.ndarray]:
    share = len(points) / 5000 / 128 if gamma is None else gamma
    norms = points.square().sum(dim=1)
    generator = np.random.default_rng(seed)
    own = torch.arange(landmarks, device=points.device)
    for start in range(0, draws, DRAWS_AT_ONCE):
        shape = (min(DRAWS_AT_ONCE, draws - start), landmarks)
        chosen = torch.from_numpy(generator.integers(len(points), size=shape)).to(points.device)
        flat = chosen.flatten()
        products = torch.addmm(norms[flat], points, points[flat].T, alpha=-2).add_(norms[:, None])
        for rows, squared in zip(chosen, products.split(landmarks, dim=1), strict=True):
            squared[rows, own] = 0.0
            table = squared.clamp_min(0).cpu().numpy()
            alpha_max = share * float(np.sqrt(table.max()))
            holes = _holes(table, alpha_max) if alpha_max > 0 else np.empty((0, 2))
            yield relative_living_time(holes, alpha_max, i_max)


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
        mean_relative_living_times(features, landmarks, gamma, i_max, draws, seed)
        for features in (points, real)
    )
    dropped = 1 - min(float(mine.sum()), float(theirs.sum()))
    return GeometryScore(float(((mine - theirs) ** 2).sum()), mine, theirs, max(dropped, 0.0))


LANDMARKS = 64


def too_few_points(comparison: Comparison) -> str:
    """Why the geometry score cannot be had of so few samples."""
    fewest = min(len(comparison.generated), len(comparison.reference))
    return "" if fewest >= LANDMARKS else f"it needs {LANDMARKS} samples of each side"


def without_gudhi(comparison: Comparison) -> str:
    """Why the geometry score cannot be had."""
    found = importlib.util.find_spec("gudhi") is not None
    return "" if found else "it needs pip install 'mtgan[topology]'"


@register_metric(
    "geometry_score",
    Output("geometry_score", "lower", range=(0, math.inf)),
    slow=True,
    needs={"`mtgan[topology]`": without_gudhi, "64 samples": too_few_points},
    source="Khrulkov & Oseledets 2018",
    function=geometry_score,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Difference of mean relative living times of one-dimensional holes."""
    seed, sides = comparison.context.seed, (comparison.generated, comparison.reference)
    count = min(map(len, sides))
    # It depends on the number of points, so that of a larger set as many are drawn.
    mine, real = (side.points[draw(len(side), count, seed, 6)] for side in sides)
    found = geometry_score(mine, real, seed=seed)
    unlike = len(sides[0]) != len(sides[1])
    note = f"geometry_score compares sets of one size: {count:,} drawn of each"
    return Outcome({"geometry_score": found.value}, notes=[note] * unlike)
