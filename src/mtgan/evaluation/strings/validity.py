"""How many of the strings are molecules?"""

from mtgan.evaluation.metrics import Outcome, Output
from mtgan.evaluation.sets import DomainComparison
from mtgan.evaluation.strings.base import MOSES, UNIT, register_string_metric
from mtgan.evaluation.strings.molecules import molecules_of_both


@register_string_metric(
    "validity", Output("validity", "higher", "fidelity", range=UNIT), source=MOSES, molecules=True
)
def of_comparison(comparison: DomainComparison) -> Outcome:
    """Share of the strings that RDKit parses, each as a whole."""
    return Outcome({"validity": molecules_of_both(comparison)[0].validity})
