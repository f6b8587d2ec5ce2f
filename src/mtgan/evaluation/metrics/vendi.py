"""Vendi score: the effective number of different samples.

Definition (Friedman & Dieng 2023, "The Vendi score: a diversity evaluation metric for machine
learning", definition 3.1): exp of the Shannon entropy of the eigenvalues of K / N, with K the
matrix of cosine similarities of the features. When N > D the eigenvalues are those of the D x D
dual matrix, which are the same but for zeros.

Range [1, min(N, D)], higher is more diverse. No units.

Pitfalls: depends on N, so compare at equal N with the reference's own score; blind to quality:
noise scores high.
"""

import torch

from mtgan.evaluation.metrics.inputs import Array, as_features, full_precision, positive_norms
from mtgan.evaluation.metrics.products import symmetric_product


def vendi_score(features: Array) -> float:
    """Vendi score of features [N, D], under cosine similarity.

    Products are taken in the features' type, eigenvalues in float64: of float32 features it is
    right to 1e-7, and to 1e-5 where N or D directions are empty.

    Raises UserError for NaN, for an empty set, and for a row of zeros, whose cosine is undefined.
    """
    points = as_features(features, "features", minimum=1)
    unit = points / positive_norms(points, "features").to(points.dtype)[:, None]
    with full_precision():
        matrix = symmetric_product(unit if len(unit) > unit.shape[1] else unit.T)
    shares = torch.linalg.eigvalsh(matrix.double() / len(unit)).clamp_min(0)
    return float(torch.special.entr(shares).sum().exp())
