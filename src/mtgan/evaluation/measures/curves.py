"""Precision and recall of distributions, from histograms over clusters."""

from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.measures.base import Outcome, Output, measure
from mtgan.evaluation.metrics.prd import prd_curve as curve


@measure(Output("prd_recall", "higher"), Output("prd_precision", "higher"), slow=True)
def prd_curve(comparison: Comparison) -> Outcome:
    """Largest F_8 (recall) and F_1/8 (precision) of the PRD curve."""
    found = curve(
        comparison.generated.points,
        comparison.reference.points,
        seed=comparison.setting.seed,
    )
    return Outcome({"prd_recall": found.f8, "prd_precision": found.f1_8})
