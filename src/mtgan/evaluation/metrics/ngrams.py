"""Measures of strings that need no chemistry: n-gram distances, uniqueness, novelty, emptiness."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from mtgan.errors import UserError


def require_strings(strings: Sequence[str], what: str) -> None:
    """UserError where there is no string."""
    if not len(strings):
        raise UserError(f"The {what} strings are none; give at least one.")


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


def novelty(strings: Sequence[str], training: Collection[str]) -> float:
    """Share of the distinct strings that the training set does not have (MOSES, novelty)."""
    require_strings(strings, "generated")
    distinct = set(strings)
    return len(distinct - set(training)) / len(distinct)


def empty_share(strings: Sequence[str]) -> float:
    """Share of strings of padding alone, which is "" once it is stripped."""
    require_strings(strings, "generated")
    return sum(not text for text in strings) / len(strings)
