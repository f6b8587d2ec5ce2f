"""Are the valid molecules other ones than those of the training data?"""

from mtgan.evaluation.metrics import Outcome, Output
from mtgan.evaluation.sets import DomainComparison
from mtgan.evaluation.strings.base import MOSES, TRAINING, UNIT, register_string_metric
from mtgan.evaluation.strings.molecules import VALID, molecules_of_both, valid_molecules
from mtgan.evaluation.strings.novelty import novelty


@register_string_metric(
    "valid_novelty",
    Output("valid_novelty", "higher", "authenticity", range=UNIT),
    needs=VALID | TRAINING,
    source=MOSES,
    molecules=True,
)
def of_comparison(comparison: DomainComparison) -> Outcome:
    """Share of the distinct valid molecules that the training data do not have."""
    known = valid_molecules(comparison.context.training, comparison.context)
    found, _ = molecules_of_both(comparison)
    return Outcome({"valid_novelty": novelty(found.smiles, known.smiles)})
