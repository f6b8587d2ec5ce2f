"""Are the strings other ones than those of the training data?"""

from collections.abc import Collection, Sequence

from mtgan.evaluation.metrics import Outcome, Output
from mtgan.evaluation.sets import DomainComparison
from mtgan.evaluation.strings.base import (
    TRAINING,
    UNIT,
    register_string_metric,
    require_strings,
)


def novelty(strings: Sequence[str], training: Collection[str]) -> float:
    """Share of the distinct strings that the training set does not have (MOSES, novelty)."""
    require_strings(strings, "generated")
    distinct = set(strings)
    return len(distinct - set(training)) / len(distinct)


@register_string_metric(
    "novelty", Output("novelty", "higher", "authenticity", range=UNIT), needs=TRAINING
)
def of_comparison(comparison: DomainComparison) -> Outcome:
    """Share of the distinct strings that the training data do not have."""
    training = comparison.context.training.samples
    return Outcome({"novelty": novelty(comparison.generated.samples, training)})
