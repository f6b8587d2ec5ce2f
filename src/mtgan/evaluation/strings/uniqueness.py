"""Are the strings different from each other?"""

from collections.abc import Sequence

from mtgan.errors import UserError
from mtgan.evaluation.metrics import Outcome, Output
from mtgan.evaluation.sets import DomainComparison
from mtgan.evaluation.strings.base import UNIT, register_string_metric, require_strings


def uniqueness(strings: Sequence[str], k: int | None = None) -> float:
    """Share of distinct strings among the first k (all when absent).

    Polykovskiy et al. 2020 (MOSES), unique@k, there of the valid ones. UserError for no string, or
    fewer than k.
    """
    require_strings(strings, "generated")
    if k is not None and not 1 <= k <= len(strings):
        raise UserError(f"uniqueness of the first {k} strings: there are {len(strings)}.")
    first = strings[:k]
    return len(set(first)) / len(first)


@register_string_metric("uniqueness", Output("uniqueness", "higher", "diversity", range=UNIT))
def of_comparison(comparison: DomainComparison) -> Outcome:
    """Share of distinct strings."""
    return Outcome({"uniqueness": uniqueness(comparison.generated.samples)})
