"""Do runs of characters occur as often as in real strings?"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from mtgan.errors import UserError
from mtgan.evaluation.metrics import Outcome, Output
from mtgan.evaluation.sets import DomainComparison
from mtgan.evaluation.strings.base import UNIT, register_string_metric, require_strings

_LENGTHS = (1, 2, 3, 4)


def ngram_counts(strings: Iterable[str], n: int) -> Counter[str]:
    """How often each run of n characters occurs, inside strings only."""
    return Counter(text[i : i + n] for text in strings for i in range(len(text) - n + 1))


def ngram_distance(generated: Sequence[str], reference: Sequence[str], n: int) -> float:
    """Jensen-Shannon distance of the distributions of character n-grams, in [0, 1].

    The square root of the divergence (Endres & Schindelin 2003), logarithms to base 2: 0 for equal
    distributions, 1 for disjoint ones; also 1 where one side has no n-gram and 0 where both have
    none. The divergence of n-grams of generated text is the measure of Gulrajani et al. 2017,
    section 5.5. UserError for no string or n < 1.
    """
    if n < 1:
        raise UserError(f"n of the n-grams should be at least 1; found {n}.")
    require_strings(generated, "generated")
    require_strings(reference, "reference")
    first, second = ngram_counts(generated, n), ngram_counts(reference, n)
    if not first or not second:
        return float(bool(first) != bool(second))
    grams = sorted(first.keys() | second.keys())
    p, q = (np.array([counts[gram] for gram in grams], dtype=float) for counts in (first, second))
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2
    divergence = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    return float(np.sqrt(np.clip(divergence, 0, 1)))


def _relative_entropy(p: np.ndarray, q: np.ndarray) -> float:
    present = p > 0
    return float((p[present] * np.log2(p[present] / q[present])).sum())


@register_string_metric(
    "ngram_distance",
    Output("ngram_distance", "lower", "distribution", range=UNIT),
    source="Gulrajani et al. 2017, section 5.5",
)
def of_comparison(comparison: DomainComparison) -> Outcome:
    """Jensen-Shannon distance of character n-grams, n = 1 to 4."""
    mine, real = comparison.generated.samples, comparison.reference.samples
    return Outcome({f"ngram_distance/{n}": ngram_distance(mine, real, n) for n in _LENGTHS})
