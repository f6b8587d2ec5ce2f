"""Which classes does a set of samples show, beyond what is taken for them by mistake?"""

import numpy as np

SIGNIFICANCE = 0.01
"""A class is shown where mistakes alone would give as many with at most this probability."""


def present_classes(counts: np.ndarray, confusion: np.ndarray) -> np.ndarray:
    """Classes that more samples are taken for than a classifier's mistakes explain.

    For each class a one-sided test of the hypothesis that no sample is of it, so that all that are
    taken for it are mistakes. Their rate is that of real samples of the other classes, weighed as
    often as the samples show those. It is known from few real samples: the number of mistakes is
    beta-binomial, with Jeffreys' prior and the effective number of real samples (Kish 1965).

    Args:
        counts: int64 [K], samples that the classifier takes for each class.
        confusion: int64 [K, K], real samples that it has not learned from, by their class (row)
            and the class that it takes them for (column).

    Returns:
        bool [K]; False for fewer than two samples.
    """
    from scipy.stats import betabinom  # slow to import

    sizes = confusion.sum(axis=1)
    known = sizes > 0
    shares = np.where(known, counts, 0).astype(np.float64)
    rates = confusion / np.maximum(sizes, 1)[:, None]
    present = np.zeros(len(counts), dtype=bool)
    for index in np.flatnonzero(counts > 1):
        others = shares.copy()
        others[index] = 0
        if not others.any():  # all are taken for this one
            others = np.where(known, sizes, 0).astype(np.float64)
            others[index] = 0
        if not others.any():
            present[index] = True
            continue
        others /= others.sum()
        tried = 1 / (others**2 / np.maximum(sizes, 1)).sum()
        mistakes = tried * (others @ rates[:, index])
        chance = betabinom.sf(
            counts[index] - 1, counts.sum(), mistakes + 0.5, tried - mistakes + 0.5
        )
        present[index] = chance <= SIGNIFICANCE
    return present
