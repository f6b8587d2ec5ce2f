"""How many strings are empty: canvases of padding alone."""

from collections.abc import Sequence

from mtgan.evaluation.metrics import Outcome, Output
from mtgan.evaluation.sets import DomainComparison
from mtgan.evaluation.strings.base import UNIT, register_string_metric, require_strings


def empty_share(strings: Sequence[str]) -> float:
    """Share of strings of padding alone, which is "" once it is stripped."""
    require_strings(strings, "generated")
    return sum(not text for text in strings) / len(strings)


@register_string_metric("empty_share", Output("empty_share", "lower", range=UNIT))
def of_comparison(comparison: DomainComparison) -> Outcome:
    """Share of strings of padding alone."""
    return Outcome({"empty_share": empty_share(comparison.generated.samples)})
