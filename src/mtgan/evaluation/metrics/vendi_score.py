"""Vendi score: the effective number of different samples.

Definition (Friedman & Dieng 2023, "The Vendi score: a diversity evaluation metric for machine
learning", definition 3.1): exp of the Shannon entropy of the eigenvalues of K / N, with K the
matrix of cosine similarities of the features. When N > D the eigenvalues are those of the D x D
dual matrix, which are the same but for zeros.

Range [1, min(N, D)], higher is more diverse. No units.

Pitfalls: depends on N, so compare at equal N with the reference's own score; blind to quality:
noise scores high.
"""

import math

import torch

from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.base import Outcome, Output, register_metric
from mtgan.evaluation.pairwise.arrays import Array, as_features, positive_norms
from mtgan.evaluation.pairwise.products import symmetric_product


def vendi_score(features: Array) -> float:
    """Vendi score of features [N, D], under cosine similarity, in float64.

    Raises UserError for NaN, for an empty set, and for a row of zeros, whose cosine is undefined.
    """
    points = as_features(features, "features", minimum=1).double()
    unit = points / positive_norms(points, "features")[:, None]
    matrix = symmetric_product(unit if len(unit) > unit.shape[1] else unit.T)
    shares = torch.linalg.eigvalsh(matrix / len(unit)).clamp_min(0)
    return float(torch.special.entr(shares).sum().exp())


@register_metric(
    "vendi_score",
    Output("vendi_score", "like real", range=(1, math.inf)),
    source="Friedman & Dieng 2023",
    function=vendi_score,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Effective number of different samples; those without any feature are left out."""
    points = comparison.generated.points
    alive = points[points.norm(dim=1) > 0]
    gone = len(points) - len(alive)
    notes = [f"vendi_score leaves out {gone:,} samples without any feature"] if gone else []
    return Outcome({"vendi_score": vendi_score(alive) if len(alive) else 1.0}, notes=notes)
