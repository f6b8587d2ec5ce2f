"""Shares, means and differences of answers, with intervals that know that answers of one rater, and
answers about one stimulus, are alike.

An estimate is a sum of what each answer adds to its error (its influence, [n]). Its variance is
that of sums over raters, plus that of sums over stimuli, less that of single answers, which both
have counted (two-way clustering, Cameron, Gelbach & Miller 2011, equation 2.11), each with the
factor G / (G - 1) of G clusters. A share has Wilson's interval (Wilson 1927) with as many answers
as would have that variance if they were independent (the effective sample size of Korn & Graubard
1998), and quantiles of Student's t with G - 1 degrees of freedom, G being the smaller number of
clusters, in place of the normal ones.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from mtgan.surveys.table import Answers

Interval = tuple[float, float]
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """Attributes:
    what: What was estimated, in words.
    arm: Of which model, or "A : B" of a pair.
    value, interval: 95 % interval; None with one rater.
    answers, raters, stimuli: How many there were.
    of_class: Of which class alone; "" for all.
    """

    what: str
    arm: str
    value: float
    interval: Interval | None
    answers: int
    raters: int
    stimuli: int
    of_class: str = ""


@dataclass(frozen=True)
class Difference:
    """One question: first against second.

    Attributes:
        value: Outcome of first minus that of second; in pairs, the share in which first was chosen.
        equal: The value that means no difference: 0, or 1/2.
        p: Two-sided; not corrected for several questions.
    """

    first: str
    second: str
    value: float
    equal: float
    interval: Interval | None
    p: float
    answers: int
    raters: int


def variance(influence: np.ndarray, *clusters: np.ndarray) -> float:
    """The variance of a sum of influences [n], by one or two ways [n] in which they cluster.

    With two ways it is at least that of either alone: their difference may come out too small, or
    below 0, where there are few clusters.
    """
    alone = [_clustered(influence, one) for one in clusters]
    if len(alone) == 1:
        return alone[0]
    first, second = clusters
    both = np.unique(np.stack([first, second]), axis=1, return_inverse=True)[1].ravel()
    return max(sum(alone) - _clustered(influence, both), *alone)


def _clustered(influence: np.ndarray, cluster: np.ndarray) -> float:
    index = np.unique(cluster, return_inverse=True)[1]
    sums = np.bincount(index, weights=influence)
    count = len(sums)
    return float((sums**2).sum() * count / max(count - 1, 1))


def quantile(rows: Answers, level: float = LEVEL) -> float:
    """Student's t with one degree of freedom less than there are clusters; inf for one cluster."""
    return float(stats.t.ppf((1 + level) / 2, degrees(rows))) if degrees(rows) else np.inf


def degrees(rows: Answers) -> int:
    return min(len(np.unique(rows.rater)), len(np.unique(rows.stimulus))) - 1


def effective(share: float, spread: float, rows: Answers) -> float:
    """How many independent answers tell as much; with no variation at all, the raters."""
    if spread <= 0:
        return float(len(np.unique(rows.rater)))
    return min(float(len(rows)), share * (1 - share) / spread)


def wilson(share: float, count: float, reach: float) -> Interval:
    """Wilson's interval of a share of `count` answers, `reach` being the quantile."""
    factor = reach**2 / count
    middle = (share + factor / 2) / (1 + factor)
    half = reach / (1 + factor) * np.sqrt(share * (1 - share) / count + factor / (4 * count))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def mean(
    what: str, arm: str, rows: Answers, values: np.ndarray, binary: bool, of_class: str = ""
) -> Estimate:
    """The mean of values [n] of these rows; of shares, with Wilson's interval."""
    return combined(what, arm, [(rows, values)], binary, of_class)


def combined(
    what: str,
    arm: str,
    parts: list[tuple[Answers, np.ndarray]],
    binary: bool,
    of_class: str = "",
) -> Estimate:
    """The mean of the means of several sets of rows, each of equal weight."""
    value = float(np.mean([values.mean() for _, values in parts]))
    influence = np.concatenate(
        [(values - values.mean()) / len(values) / len(parts) for _, values in parts]
    )
    rater = np.concatenate([rows.rater for rows, _ in parts])
    stimulus = np.concatenate([rows.stimulus for rows, _ in parts])
    spread = variance(influence, rater, stimulus)
    whole = max((rows for rows, _ in parts), key=len)
    interval = None
    if degrees(whole) > 0:
        reach = quantile(whole)
        if binary:
            interval = wilson(value, effective(value, spread, whole), reach)
        else:
            half = reach * float(np.sqrt(spread))
            interval = value - half, value + half
    counts = len(influence), len(np.unique(rater)), len(np.unique(stimulus))
    return Estimate(what, arm, value, interval, *counts, of_class)


def share_of_pair(first: str, second: str, rows: Answers) -> Difference:
    """How often first was chosen of trials that show both; p of 1/2 by the score test that belongs
    to Wilson's interval."""
    rows = rows.where(rows.of_pair(first, second))
    values = np.where(rows.of_arm(first), rows.outcome, 1 - rows.outcome)
    found = mean("chosen", first, rows, values, binary=True)
    influence = (values - found.value) / len(values)
    count = effective(found.value, variance(influence, rows.rater, rows.stimulus), rows)
    reached = abs(found.value - 0.5) * np.sqrt(4 * count)
    p = float(2 * stats.t.sf(reached, degrees(rows))) if degrees(rows) else 1.0
    return Difference(
        *(first, second, found.value, 0.5, found.interval, p), found.answers, found.raters
    )


def difference(first: str, second: str, rows: Answers) -> Difference:
    """Mean outcome of first minus that of second, by Student's t.

    Where no rater and no stimulus varies, by the sign test over raters.
    """
    one, other = rows.of_arm(first), rows.of_arm(second)
    rows = rows.where(one | other)
    one, other = one[one | other], other[one | other]
    means = rows.outcome[one].mean(), rows.outcome[other].mean()
    influence = np.where(
        one, (rows.outcome - means[0]) / one.sum(), (means[1] - rows.outcome) / other.sum()
    )
    value, spread = float(means[0] - means[1]), variance(influence, rows.rater, rows.stimulus)
    raters = len(np.unique(rows.rater))
    if degrees(rows) < 1:
        interval, p = None, 1.0
    elif spread == 0:
        interval, p = None, (1.0 if value == 0 else 2.0 ** (1 - raters))
    else:
        half = quantile(rows) * np.sqrt(spread)
        interval = float(value - half), float(value + half)
        p = float(2 * stats.t.sf(abs(value) / np.sqrt(spread), degrees(rows)))
    return Difference(first, second, value, 0.0, interval, p, len(rows), raters)
