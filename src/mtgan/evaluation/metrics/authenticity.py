"""Authenticity: the share of samples that are not closer to a training point than real ones are.

Definition (Alaa et al. 2022, "How faithful is your synthetic data?", section 3.3; as AuthPct in
Stein et al. 2023): with x* the training point nearest to a sample y, y is authentic when
d(y, x*) > d(x*, its nearest other training point).

Range [0, 1], a share, not a percentage. Exact copies give 0. Held-out real data give neither 1
nor 0.5 but about 0.8 on images: calibrate on them, and never reward exceeding them.

Pitfalls: depends on the number of training points; samples off the manifold (noise) are
authentic; so is a near copy of a training point that occurs twice, whose own gap is 0.
"""

import numpy as np
from torch import Tensor

from mtgan.evaluation.comparison import Comparison, EvaluationContext, SampleSet
from mtgan.evaluation.metrics.base import Outcome, Output, register_metric
from mtgan.evaluation.pairwise.arrays import Array, as_feature_pair, as_features
from mtgan.evaluation.pairwise.blocks import TIE
from mtgan.evaluation.pairwise.neighbors import Neighborhood, nearest, neighborhood
from mtgan.evaluation.pairwise.pairs import PairwisePass


def _share(distances: Tensor, indices: Tensor, train: Neighborhood) -> float:
    allowed = train.radii(1)[indices]
    return float((distances.square() > allowed.square() * (1 + TIE)).double().mean())


def authenticity_from_pass(passed: PairwisePass) -> float:
    """Authenticity of samples whose pass was taken against all training data as the reference."""
    return _share(passed.sample_distances, passed.sample_indices, passed.reference)


def authenticity(
    samples: Array, train: Array, train_neighborhood: Neighborhood | None = None
) -> float:
    """Share of authentic samples among features [M, D], against training features [N, D].

    Args:
        train_neighborhood: `neighborhood(train, 1)` or more neighbors, when already known.

    Raises UserError for NaN, different D, no samples, and fewer than two training points.
    """
    points, real = as_feature_pair(samples, train, 1, ("samples", "train"))
    known = train_neighborhood or neighborhood(as_features(real, "train", 2), 1)
    distances, indices = nearest(points, real)
    return _share(distances[:, 0], indices[:, 0], known)


@register_metric(
    "authenticity",
    Output("authenticity", "higher", "authenticity", "linear", range=(0, 1)),
    source="Alaa et al. 2022, against all training data",
    function=authenticity,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Share of samples farther from their nearest training image than that is from its own."""
    flags = comparison.generated.per_sample(
        "authentic", lambda whole: authentic_flags(whole, comparison.context)
    )
    return Outcome({"authenticity": float(flags.mean())})


def authentic_flags(judged: SampleSet, context: EvaluationContext) -> np.ndarray:
    """Whether each sample is authentic, bool [N], as in `authenticity`.

    Only training images that are somebody's nearest are given a neighbor of their own, so that
    the cost is N times the training set and not its square.
    """
    distances, indices = (
        found[:, 0].cpu() for found in nearest(judged.points, context.training.points)
    )
    gaps = context.training_gaps(indices)
    return (distances.square() > gaps.square() * (1 + TIE)).numpy()
