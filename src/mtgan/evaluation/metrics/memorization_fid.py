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

import itertools
import math
from dataclasses import dataclass

import torch

from mtgan.errors import UserError
from mtgan.evaluation.comparison import Comparison, SampleSet
from mtgan.evaluation.metrics.base import Outcome, Output, register_metric
from mtgan.evaluation.metrics.frechet_distance import frechet_distance, frechet_from_statistics
from mtgan.evaluation.pairwise.arrays import Array, as_feature_pair, full_precision, positive_norms
from mtgan.evaluation.pairwise.kernels import exact_cosine_distances
from mtgan.evaluation.pairwise.pairs import PairwisePass

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


def memorization_distance_from_pass(passed: PairwisePass) -> float:
    """m of samples whose pass was taken against all training data, with `cosine=True`."""
    if passed.cosine_distances is None:
        raise UserError("The pass was taken without cosine distances: ask for cosine=True.")
    return float(passed.cosine_distances.mean())


def memorization_distance(samples: Array, train_reference: Array) -> float:
    """m: mean over samples [M, D] of the least 1 - |cos| to a training sample [N, D]."""
    points, real = as_feature_pair(samples, train_reference, 1, ("samples", "train_reference"))
    a, b = (
        (features / positive_norms(features, name).to(features.dtype)[:, None]).float()
        for features, name in ((points, "samples"), (real, "train_reference"))
    )
    best = torch.full((len(a),), -1.0, device=a.device)
    where = torch.zeros(len(a), dtype=torch.int64, device=a.device)
    with full_precision():
        for start, other in itertools.product(range(0, len(a), BLOCK), range(0, len(b), BLOCK)):
            rows = slice(start, start + BLOCK)
            cosine, index = (a[rows] @ b[other : other + BLOCK].T).abs_().max(dim=1)
            where[rows] = torch.where(cosine > best[rows], index + other, where[rows])
            best[rows] = torch.maximum(cosine, best[rows])
    # float32 found the neighbor; its cosine is taken again in float64.
    return float(exact_cosine_distances(points, real, where).mean())


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
    return penalized(frechet_distance(points, real), memorization_distance(points, real), threshold)


def penalized(frechet: float, memorization: float, threshold: float = 0.1) -> MemorizationFid:
    """MiFID from a Frechet distance and a memorization distance that are known."""
    penalty = memorization + EPSILON if memorization < threshold else 1.0
    return MemorizationFid(frechet / penalty, frechet, memorization)


INCEPTION_THRESHOLD = 0.1
"""The published threshold; on a card other spaces take half the held-out data's own distance."""


@register_metric(
    "memorization_fid",
    Output("memorization_fid", "lower", range=(0, math.inf)),
    Output("memorization_distance", "higher", range=(0, 1)),
    slow=True,
    source="Bai et al. 2021",
    function=memorization_fid,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Frechet distance to all training data, divided by the memorization distance where small."""
    context, judged = comparison.context, comparison.generated

    def memorized(images: SampleSet) -> float:
        return images.once(
            "memorized", lambda: memorization_distance(images.points, context.training.points)
        )

    threshold = INCEPTION_THRESHOLD
    if context.held_out is not None and not context.is_inception:
        threshold = memorized(context.held_out) / 2
    plain = frechet_from_statistics(judged.statistics, context.training.statistics)
    found = penalized(plain, memorized(judged), threshold)
    return Outcome(
        {
            "memorization_fid": found.value,
            "memorization_distance": found.memorization_distance,
        }
    )
