"""What repeated runs say: pure functions on arrays, in which a value is one run's measure.

Legend: n, m numbers of runs. Whoever compares more than one pair corrects the p-values with
mtgan.correction.holm.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from mtgan.errors import UserError
from mtgan.limits import MOST_SEEDS

LEAST_FOR_TESTS = 3
"""With fewer runs on either side no significance is claimed."""

LEAST_FOR_INTERVALS = 5
"""Resampling n runs never leaves their range, which covers a symmetric distribution's center with
probability 1 - 2^(1-n): 75 % for 3 runs, 88 % for 4, 94 % for 5."""

RESAMPLES = 9_999
_AT_ONCE = 2_000_000  # values of resamples that are in memory at once
POWER = 0.8

Interval = tuple[float, float]
Statistic = Callable[..., Any]


@dataclass(frozen=True)
class Summary:
    """One cell's runs. Intervals are None with fewer than LEAST_FOR_INTERVALS runs, and so is the
    interquartile mean (Agarwal et al. 2021)."""

    count: int
    median: float
    mean: float
    low: float
    high: float
    mean_interval: Interval | None
    median_interval: Interval | None
    interquartile_mean: float | None
    interquartile_interval: Interval | None


@dataclass(frozen=True)
class CellDifference:
    """First runs against second ones.

    Attributes:
        count: Runs of the first and of the second side; of pairs, the same number twice.
        paired: Whether runs are compared seed by seed.
        difference: Mean of first minus second.
        interval: 95 % bootstrap interval of the difference, or None with too few runs.
        p: Of `test`, the one that conclusions rest on; not yet corrected.
        test: "paired t" where paired, else "Welch".
        p_welch: Of Welch's test, whether paired or not.
        p_permutation: Of the permutation test of the difference of means.
        effect: Hedges' g.
        improvement: Probability that a first run is larger than a second one, ties as half
            (Agarwal et al. 2021), with its interval; None with too few runs.
        seeds_needed: Runs of each side at which `test` would find this difference with power 0.8,
            at the level given; None where no number up to MOST_SEEDS is enough.
    """

    count: tuple[int, int]
    paired: bool
    difference: float
    interval: Interval | None
    p: float
    test: str
    p_welch: float
    p_permutation: float
    effect: float
    improvement: float | None
    improvement_interval: Interval | None
    seeds_needed: int | None

    @property
    def enough(self) -> bool:
        """Whether there are runs enough for a claim of significance."""
        return min(self.count) >= LEAST_FOR_TESTS


def summarize(values: np.ndarray) -> Summary:
    """Median, mean and interquartile mean of values [n >= 1], with 95 % bootstrap intervals."""
    values = _finite(values)
    many = len(values) >= LEAST_FOR_INTERVALS
    return Summary(
        count=len(values),
        median=float(np.median(values)),
        mean=float(np.mean(values)),
        low=float(values.min()),
        high=float(values.max()),
        mean_interval=bootstrap_interval((values,), np.mean),
        median_interval=bootstrap_interval((values,), np.median),
        interquartile_mean=float(interquartile_mean(values)) if many else None,
        interquartile_interval=bootstrap_interval((values,), interquartile_mean),
    )


def compare(first: np.ndarray, second: np.ndarray, paired: bool, alpha: float) -> CellDifference:
    """Compare values [n] with values [m]; where paired, n = m and the i-th are of the same seed.

    alpha: the level for `seeds_needed`, already divided by the number of comparisons.
    """
    first, second = _finite(first), _finite(second)
    if paired:
        interval = bootstrap_interval((first - second,), np.mean)
    else:
        interval = bootstrap_interval((first, second), mean_difference)
    many = min(len(first), len(second)) >= LEAST_FOR_INTERVALS
    return CellDifference(
        count=(len(first), len(second)),
        paired=paired,
        difference=_difference(first, second),
        interval=interval,
        p=t_test(first, second, paired),
        test="paired t" if paired else "Welch",
        p_welch=t_test(first, second, paired=False),
        p_permutation=permutation_test(first, second, paired),
        effect=hedges_g(first, second),
        improvement=float(probability_of_improvement(first, second)) if many else None,
        improvement_interval=bootstrap_interval(
            (first, second), probability_of_improvement, widened=False
        ),
        seeds_needed=seeds_needed(first, second, paired, alpha),
    )


def interquartile_mean(values: np.ndarray, axis: int = -1) -> np.ndarray:
    """Mean of the middle half (Agarwal et al. 2021, section 4.3)."""
    return stats.trim_mean(values, 0.25, axis=axis)


def mean_difference(first: np.ndarray, second: np.ndarray, axis: int = -1) -> np.ndarray:
    """Mean of first minus mean of second along `axis`."""
    return np.mean(first, axis=axis) - np.mean(second, axis=axis)


def probability_of_improvement(first: np.ndarray, second: np.ndarray, axis: int = -1) -> np.ndarray:
    """Share of pairs (one of first [..., n], one of second [..., m]) in which the first is larger,
    ties as half: the Mann-Whitney statistic over n m (Agarwal et al. 2021, section 4.3)."""
    first, second = np.moveaxis(first, axis, -1), np.moveaxis(second, axis, -1)
    n, m = first.shape[-1], second.shape[-1]
    # By ranks, since pairs of 1,000 runs each would not fit in memory for all resamples at once.
    ranks = stats.rankdata(np.concatenate([first, second], axis=-1), axis=-1)[..., :n]
    return (ranks.sum(axis=-1) - n * (n + 1) / 2) / (n * m)


def bootstrap_interval(
    samples: tuple[np.ndarray, ...],
    statistic: Statistic,
    level: float = 0.95,
    widened: bool = True,
    seed: int = 0,
) -> Interval | None:
    """Percentile bootstrap interval of a statistic of one sample [n] or of two, each resampled.

    widened: percentiles are moved outwards so that for a mean the interval is as wide as Student's
    (Hesterberg 2015, section 4.3.3, "expanded percentile"); the plain one is too narrow for few
    runs. None where a sample has fewer than LEAST_FOR_INTERVALS values.
    """
    least = min(len(sample) for sample in samples)
    if least < LEAST_FOR_INTERVALS:
        return None
    if widened:
        degrees = sum(len(sample) - 1 for sample in samples)
        reach = np.sqrt(least / (least - 1)) * stats.t.ppf((1 + level) / 2, degrees)
        level = 1 - 2 * float(stats.norm.cdf(-reach))
    found = stats.bootstrap(
        samples,
        statistic,
        confidence_level=level,
        n_resamples=RESAMPLES,
        batch=_batch(samples),
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)


def student_half_width(values: np.ndarray, level: float = 0.95) -> float:
    """Half the width of Student's interval of the mean of values [n]; nan for a single one."""
    if len(values) < 2:
        return float("nan")
    return float(stats.t.ppf((1 + level) / 2, len(values) - 1) * stats.sem(values))


def share_interval(count: int, runs: int, level: float = 0.95) -> Interval:
    """Wilson's interval of a share, of which `count` of `runs` were seen (Wilson 1927); all of
    [0, 1] where there is no run."""
    if not runs:
        return 0.0, 1.0
    found = stats.binomtest(count, runs).proportion_ci(level, method="wilson")
    return float(found.low), float(found.high)


def t_test(first: np.ndarray, second: np.ndarray, paired: bool) -> float:
    """Two-sided p of the paired t-test, or of Welch's; 1 where there is nothing to test with."""
    if min(len(first), len(second)) < 2:
        return 1.0
    with warnings.catch_warnings():  # one side without variation is a case like any other
        warnings.filterwarnings("ignore", message="Precision loss", category=RuntimeWarning)
        if paired:
            gaps = first - second
            if np.ptp(gaps) == 0:  # no variation: the same runs, or the same gap at every seed
                return 1.0 if gaps[0] == 0 else 0.0
            return float(stats.ttest_1samp(gaps, 0.0).pvalue)
        if np.ptp(first) == 0 and np.ptp(second) == 0:
            return 1.0 if first[0] == second[0] else 0.0
        return float(stats.ttest_ind(first, second, equal_var=False).pvalue)


def permutation_test(
    first: np.ndarray, second: np.ndarray, paired: bool, resamples: int = RESAMPLES
) -> float:
    """Two-sided p of the difference of means under exchange of the two sides.

    Paired: within pairs. All exchanges are listed where there are at most `resamples` of them, so
    that p is exact; with n pairs it cannot be below 2^(1-n) then (n = 5: 0.0625).
    """
    if min(len(first), len(second)) < 2:
        return 1.0
    result = stats.permutation_test(
        (first, second),
        mean_difference,
        permutation_type="samples" if paired else "independent",
        n_resamples=resamples,
        batch=_batch((first, second)),
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)


def hedges_g(first: np.ndarray, second: np.ndarray) -> float:
    """Difference of means in pooled standard deviations, corrected for small samples (Hedges
    1981); 0 where there is no difference, infinite where there is one and no variation."""
    difference = _difference(first, second)
    degrees = len(first) + len(second) - 2
    if difference == 0 or degrees < 1:
        return 0.0
    squares = ((first - first.mean()) ** 2).sum() + ((second - second.mean()) ** 2).sum()
    if squares == 0:
        return float(np.copysign(np.inf, difference))
    return difference / float(np.sqrt(squares / degrees)) * (1 - 3 / (4 * degrees - 1))


def seeds_needed(
    first: np.ndarray, second: np.ndarray, paired: bool, alpha: float, power: float = POWER
) -> int | None:
    """Runs of each side with which a t-test at level alpha finds the difference seen with
    probability `power`; None where it would take more than MOST_SEEDS."""
    from statsmodels.stats.power import TTestIndPower, TTestPower

    if min(len(first), len(second)) < 2:
        return None
    if paired:
        spread = float(np.std(first - second, ddof=1))
    else:
        spread = float(np.sqrt((np.var(first, ddof=1) + np.var(second, ddof=1)) / 2))
    difference = abs(_difference(first, second))
    if difference == 0:
        return None
    if spread == 0:
        return LEAST_FOR_TESTS
    test = TTestPower() if paired else TTestIndPower()
    counts = np.arange(LEAST_FOR_TESTS, MOST_SEEDS + 1)
    # Beyond 50 standard deviations the noncentral distribution is not computed reliably.
    reached = test.power(min(difference / spread, 50.0), counts, alpha) >= power
    return int(counts[reached.argmax()]) if reached.any() else None


def _batch(samples: tuple[np.ndarray, ...]) -> int:
    """How many resamples are drawn at once."""
    return max(1, _AT_ONCE // sum(len(sample) for sample in samples))


def _difference(first: np.ndarray, second: np.ndarray) -> float:
    """Difference of means, without what rounding alone leaves of equal ones."""
    means = float(first.mean()), float(second.mean())
    return 0.0 if np.isclose(*means, rtol=1e-12, atol=0) else means[0] - means[1]


def _finite(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise UserError(
            f"A comparison needs finite values [n], n >= 1; found {values.shape} with "
            f"{int((~np.isfinite(values)).sum())} that are not finite."
        )
    return values
