"""Fidelity and diversity from nearest neighbors: where data are, and everywhere that data are?"""

from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.measures.base import Outcome, Output, measure
from mtgan.evaluation.metrics.density_coverage import density_coverage_from_pass
from mtgan.evaluation.metrics.precision_recall import precision_recall_from_pass


@measure(
    Output("precision", "like real", "fidelity", "two-sided"),
    Output("recall", "higher", "diversity", "linear"),
)
def precision_recall(comparison: Comparison) -> Outcome:
    """Improved precision and recall, k = 3."""
    found = precision_recall_from_pass(comparison.pairs)
    return Outcome({"precision": found.precision, "recall": found.recall})


@measure(
    Output("density", "like real", "fidelity", "two-sided"),
    Output("coverage", "higher", "diversity", "linear"),
)
def density_coverage(comparison: Comparison) -> Outcome:
    """Density and coverage, k = 5."""
    found = density_coverage_from_pass(comparison.pairs)
    return Outcome({"density": found.density, "coverage": found.coverage})
