"""Improved precision and recall.

Definition (Kynkaanniemi et al. 2019, "Improved precision and recall metric for assessing
generative models", equations 1 and 2): precision is the share of samples that lie in at least one
closed ball around a reference point with the radius of its k-th nearest other reference point;
recall the share of reference points in at least one such ball around a sample. The paper takes
k = 3 and 50,000 points of each set.

Range [0, 1], higher is better for both. No units.

Pitfalls: both depend on N and k, so compare at equal numbers; an outlier's ball swallows much
of the space; precision *rewards* blur and samples pulled towards the mean, so it may exceed that
of held-out real data without being better.
"""

from dataclasses import dataclass

from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.base import Outcome, Output, register_metric
from mtgan.evaluation.pairwise.arrays import Array
from mtgan.evaluation.pairwise.pairs import PairwisePass, pairwise_pass


@dataclass(frozen=True)
class PrecisionRecall:
    """Shares in [0, 1]."""

    precision: float
    recall: float


def precision_recall_from_pass(passed: PairwisePass, k: int = 3) -> PrecisionRecall:
    """Precision and recall of sets whose pairs were passed over for this k."""
    counts = passed.counts(k)
    return PrecisionRecall(
        precision=float((counts.samples > 0).double().mean()),
        recall=float((counts.reference > 0).double().mean()),
    )


def precision_recall(samples: Array, reference: Array, k: int = 3) -> PrecisionRecall:
    """Improved precision and recall of `samples` [M, D] against `reference` [N, D].

    Raises UserError for NaN, for different D, and for sets of fewer than k + 1 points.
    """
    return precision_recall_from_pass(pairwise_pass(samples, reference, k), k)


@register_metric(
    "precision_recall",
    Output("precision", "like real", "fidelity", "two-sided", range=(0, 1)),
    Output("recall", "higher", "diversity", "linear", range=(0, 1)),
    source="Kynkaanniemi et al. 2019, k = 3",
    function=precision_recall,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Improved precision and recall, k = 3."""
    found = precision_recall_from_pass(comparison.pairs)
    return Outcome({"precision": found.precision, "recall": found.recall})
