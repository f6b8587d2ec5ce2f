"""Scores of the samples alone; the reference's own are beside them as the ceiling."""

from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.measures.base import Outcome, Output, measure
from mtgan.evaluation.metrics.inception import inception_score as inception
from mtgan.evaluation.metrics.vendi import vendi_score as vendi

SPLIT_SIZE = 5_000
"""Samples per split of the inception score, as in its paper; fewer samples make one split."""


@measure(Output("inception_score", "like real"), needs=[Comparison.without_logits])
def inception_score(comparison: Comparison) -> Outcome:
    """Inception score on each classifier head, in splits of 5,000 samples or one."""
    values = {}
    for level, logits in comparison.generated.bank.logits.items():
        found = inception(
            logits,
            splits=max(1, len(logits) // SPLIT_SIZE),
            seed=comparison.setting.seed,
            inputs="logits",
        )
        values[f"inception_score/{level}"] = found.value
    return Outcome(values)


@measure(Output("vendi_score", "like real"))
def vendi_score(comparison: Comparison) -> Outcome:
    """Effective number of different samples; those without any feature are left out."""
    points = comparison.generated.points
    alive = points[points.norm(dim=1) > 0]
    gone = len(points) - len(alive)
    notes = [f"vendi_score leaves out {gone:,} samples without any feature"] if gone else []
    return Outcome({"vendi_score": vendi(alive) if len(alive) else 1.0}, notes=notes)
