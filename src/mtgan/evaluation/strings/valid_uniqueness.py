"""Are the valid molecules different from each other?"""

from mtgan.evaluation.metrics import Outcome, Output
from mtgan.evaluation.sets import DomainComparison
from mtgan.evaluation.strings.base import MOSES, UNIT, register_string_metric
from mtgan.evaluation.strings.molecules import VALID, molecules_of_both
from mtgan.evaluation.strings.uniqueness import uniqueness

_FIRST = (1_000, 10_000)  # valid molecules of unique@k, as in MOSES


@register_string_metric(
    "valid_uniqueness",
    Output("valid_uniqueness", "higher", "diversity", range=UNIT),
    *(Output(f"valid_uniqueness@{k}", "higher", range=UNIT) for k in _FIRST),
    needs=VALID,
    source=MOSES,
    molecules=True,
)
def of_comparison(comparison: DomainComparison) -> Outcome:
    """Share of distinct ones among the valid molecules, and among the first 1,000 and 10,000."""
    found, _ = molecules_of_both(comparison)
    first = {k: uniqueness(found.smiles, k) for k in _FIRST if k <= len(found.smiles)}
    values = {f"valid_uniqueness@{k}": value for k, value in first.items()}
    return Outcome({"valid_uniqueness": uniqueness(found.smiles), **values})
