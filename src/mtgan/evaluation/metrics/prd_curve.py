"""Precision-recall curve of distributions (PRD).

Definition (Sajjadi et al. 2018, "Assessing generative models via precision and recall",
arXiv 1806.00035, equation 8 and section 3.3): the union of both sets, in equal numbers, is
clustered by mini-batch k-means; with P and Q the histograms of reference and samples over the
clusters and s the tangents of evenly spaced angles, precision(s) = sum_i min(s P_i, Q_i) and
recall(s) = precision(s) / s, averaged over several clusterings. Reported besides the curve:
max F_8 over it (which weighs recall) and max F_1/8 (which weighs precision), as in the paper.

Range [0, 1], higher is better. No units. Values are clipped at 1, which rounding can exceed.

Pitfalls: the clusters are random (the two figures move by 0.02 between runs); 20 clusters do not
see what happens within one; half the classes gone still scored 0.98. Here features are first
projected onto the 64 principal axes of the union, which is several times faster and moves the
figures by less than the clusters' randomness; `dims=None` leaves them as they are.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.base import Outcome, Output, register_metric
from mtgan.evaluation.pairwise.arrays import Array, as_feature_pair, as_tensor, positive
from mtgan.evaluation.pairwise.projections import principal_axes, project

EPSILON = 1e-10
BETA = 8


@dataclass(frozen=True, eq=False)
class PrdCurve:
    """The curve, from steep angles to flat ones, and the two figures that sum it up.

    Attributes:
        precision: float64 [angles].
        recall: float64 [angles].
        f8: Max F_8, "recall".
        f1_8: Max F_1/8, "precision".
    """

    precision: np.ndarray
    recall: np.ndarray
    f8: float
    f1_8: float


def _max_f(precision: np.ndarray, recall: np.ndarray, beta: float) -> float:
    weighted = beta**2 * precision + recall
    scores = (1 + beta**2) * precision * recall / np.maximum(weighted, EPSILON)
    return float(min(scores.max(), 1.0))


def prd_from_histograms(samples: Array, reference: Array, angles: int = 1001) -> PrdCurve:
    """The curve of two histograms over the same bins, each normalized to sum to one."""
    positive(angles, "angles", 3)
    shares = [
        as_tensor(given, name).double().cpu().numpy()
        for given, name in ((samples, "samples"), (reference, "reference"))
    ]
    if shares[0].ndim != 1 or shares[0].shape != shares[1].shape:
        raise UserError(
            f"Histograms of shapes {shares[0].shape} and {shares[1].shape}: "
            "give two of the same number of bins."
        )
    for name, share in zip(("samples", "reference"), shares, strict=True):
        if not np.isfinite(share).all() or (share < 0).any() or share.sum() <= 0:
            raise UserError(f"The histogram of {name} must hold counts, not all of them zero.")
    q, p = (share / share.sum() for share in shares)
    slopes = np.tan(np.linspace(EPSILON, np.pi / 2 - EPSILON, angles))
    precision = np.minimum(slopes[:, None] * p, q).sum(axis=1)
    return _curve(precision, precision / slopes)


def _curve(precision: np.ndarray, recall: np.ndarray) -> PrdCurve:
    precision, recall = precision.clip(0, 1), recall.clip(0, 1)
    return PrdCurve(
        precision, recall, _max_f(precision, recall, BETA), _max_f(precision, recall, 1 / BETA)
    )


def prd_curve(
    samples: Array,
    reference: Array,
    clusters: int = 20,
    angles: int = 1001,
    repeats: int = 10,
    dims: int | None = 64,
    seed: int = 0,
) -> PrdCurve:
    """PRD of features `samples` [M, D] against `reference` [N, D].

    Args:
        clusters: Number of k-means clusters.
        angles: Number of points on the curve.
        repeats: Clusterings that are averaged.
        dims: Principal axes of the union that are clustered; None takes the features themselves.
        seed: Seeds the clusterings, and draws equal numbers from sets of unequal size.

    Raises UserError for NaN, different D, and fewer points than clusters.
    """
    positive(repeats, "repeats")
    from sklearn.cluster import MiniBatchKMeans  # slow to import

    positive(clusters, "clusters", 2)
    points, real = as_feature_pair(samples, reference)
    count = min(len(points), len(real))
    if 2 * count < clusters:
        raise UserError(
            f"{clusters} clusters need at least as many points, found 2 x {count}: give more."
        )
    generator = torch.Generator().manual_seed(seed)

    def draw(features: Tensor) -> Tensor:
        rows = torch.randperm(len(features), generator=generator)[:count].sort().values
        return features if count == len(features) else features[rows.to(features.device)]

    union = torch.cat([draw(points), draw(real).to(points.dtype)])
    if dims is not None and positive(dims, "dims") < union.shape[1]:
        union = project(union, *principal_axes(union, dims))
    flat = union.double().cpu().numpy()  # scikit-learn widens float32 again at every step
    curves = []
    for run in range(repeats):
        model = MiniBatchKMeans(clusters, n_init=10, random_state=seed + run)
        assigned = model.fit(flat).labels_
        mine, theirs = (
            np.bincount(half, minlength=clusters) for half in (assigned[:count], assigned[count:])
        )
        curves.append(prd_from_histograms(mine, theirs, angles))
    return _curve(
        np.mean([curve.precision for curve in curves], axis=0),
        np.mean([curve.recall for curve in curves], axis=0),
    )


@register_metric(
    "prd_curve",
    Output("prd_recall", "higher", range=(0, 1)),
    Output("prd_precision", "higher", range=(0, 1)),
    slow=True,
    source="Sajjadi et al. 2018",
    function=prd_curve,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Largest F_8 (recall) and F_1/8 (precision) of the PRD curve."""
    found = prd_curve(
        comparison.generated.points,
        comparison.reference.points,
        seed=comparison.context.seed,
    )
    return Outcome({"prd_recall": found.f8, "prd_precision": found.f1_8})
