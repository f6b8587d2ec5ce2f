"""Statistics on arrays: known truths, enumeration by hand, and coverage by simulation."""

import itertools

import numpy as np
import pytest
from scipy import stats

from mtgan.correction import holm
from mtgan.errors import UserError
from mtgan.studies.statistics import (
    MOST_SEEDS,
    bootstrap_interval,
    compare,
    hedges_g,
    interquartile_mean,
    mean_difference,
    permutation_test,
    probability_of_improvement,
    seeds_needed,
    summarize,
    t_test,
)


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


# Two identical recipes differ no more often than alpha


@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
@pytest.mark.parametrize("seeds", [3, 5])
def test_identical_recipes_differ_no_more_often_than_alpha(seeds: int, paired: bool) -> None:
    studies = 600
    values = drawn(studies, 2, seeds, seed=seeds)
    if paired:  # what seeds share makes no difference
        values += drawn(studies, 1, seeds, seed=99)
    found = sum(t_test(first, second, paired) < 0.05 for first, second in values)
    # 5 % of 600 is 30; three standard errors above are 46.
    assert found <= 46


def test_no_difference_is_claimed_in_95_of_100_whole_studies() -> None:
    """Four recipes, all identical, against a fifth: the family's error rate after Holm."""
    claimed = wrong = 0
    for base, *others in drawn(300, 5, 5):
        p_values = np.array([t_test(other, base, paired=True) for other in others])
        claimed += (holm(p_values) < 0.05).any()
        wrong += (p_values < 0.05).any()
    assert claimed <= 15 + 3 * np.sqrt(300 * 0.05 * 0.95)
    assert wrong > 30  # without the correction


def test_skewed_measures_keep_the_level() -> None:
    values = np.exp(drawn(600, 2, 5))
    assert sum(t_test(a, b, paired=False) < 0.05 for a, b in values) <= 46


def test_a_planted_effect_is_found() -> None:
    values = drawn(100, 2, 5)
    found = sum(t_test(first + 4.0, second, paired=True) < 0.05 for first, second in values)
    assert found >= 93
    comparison = compare(values[0, 0] + 4.0, values[0, 1], paired=True, alpha=0.05)
    assert comparison.p < 0.01
    assert comparison.interval is not None
    assert comparison.interval[0] > 0
    assert comparison.effect > 2
    assert comparison.improvement == 1.0


def test_pairing_uses_what_seeds_share() -> None:
    shared = 10 * drawn(6)
    first, second = shared + 0.2 * drawn(6, seed=1) + 1.0, shared + 0.2 * drawn(6, seed=2)
    assert t_test(first, second, paired=True) < 0.01 < t_test(first, second, paired=False)


# Tests by hand


def test_holm_by_hand() -> None:
    # In order 0.005 x 5, 0.01 x 4, 0.03 x 3, 0.04 x 2, 0.2 x 1, never falling.
    corrected = holm(np.array([0.01, 0.04, 0.03, 0.2, 0.005]))
    assert corrected == pytest.approx([0.04, 0.09, 0.09, 0.2, 0.025])
    assert holm(np.array([0.6, 0.7])).max() == 1.0
    assert holm(np.zeros(0)).shape == (0,)


def test_the_paired_permutation_test_is_an_enumeration() -> None:
    first, second = drawn(5, seed=3) + 0.8, drawn(5, seed=4)
    gaps = first - second
    means = [np.mean(gaps * signs) for signs in itertools.product([1, -1], repeat=5)]
    expected = np.mean([abs(mean) >= abs(gaps.mean()) - 1e-12 for mean in means])
    assert permutation_test(first, second, paired=True) == pytest.approx(expected)


def test_the_unpaired_permutation_test_is_an_enumeration() -> None:
    first, second = drawn(4, seed=5) + 1.0, drawn(3, seed=6)
    pooled = np.concatenate([first, second])
    gaps = []
    for chosen in itertools.combinations(range(7), 4):
        rest = [i for i in range(7) if i not in chosen]
        gaps.append(pooled[list(chosen)].mean() - pooled[rest].mean())
    observed = first.mean() - second.mean()
    tail = min(
        np.mean(np.array(gaps) <= observed + 1e-12), np.mean(np.array(gaps) >= observed - 1e-12)
    )
    assert permutation_test(first, second, paired=False) == pytest.approx(min(1.0, 2 * tail))


def test_five_pairs_cannot_give_a_smaller_permutation_p() -> None:
    first = np.arange(5) + 100.0
    assert permutation_test(first, np.arange(5) * 1.1, paired=True) == pytest.approx(0.0625)


def test_tests_agree_with_scipy() -> None:
    first, second = drawn(6), drawn(6, seed=1) + 0.5
    assert t_test(first, second, True) == pytest.approx(stats.ttest_rel(first, second).pvalue)
    welch = stats.ttest_ind(first, second, equal_var=False).pvalue
    assert t_test(first, second, False) == pytest.approx(welch)


def test_effect_size_by_hand() -> None:
    first, second = np.array([2.0, 4.0, 6.0]), np.array([1.0, 3.0, 5.0])
    # Difference 1, pooled standard deviation 2, correction 1 - 3 / 15.
    assert hedges_g(first, second) == pytest.approx(0.5 * 0.8)
    assert hedges_g(second, first) == pytest.approx(-0.4)


def test_probability_of_improvement_by_hand() -> None:
    first, second = np.array([1.0, 2.0, 3.0]), np.array([2.0, 0.0])
    # Pairs: 1>2 no, 1>0; 2=2 half, 2>0; 3>2, 3>0.
    assert probability_of_improvement(first, second) == pytest.approx(4.5 / 6)
    statistic = stats.mannwhitneyu(first, second).statistic
    assert probability_of_improvement(first, second) == pytest.approx(statistic / 6)


def test_interquartile_mean_by_hand() -> None:
    assert interquartile_mean(np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 100.0])) == 3.5
    assert interquartile_mean(np.array([9.0, 1.0, 2.0, 3.0, -50.0])) == 2.0


# Intervals


@pytest.mark.parametrize("count", [5, 12])
def test_intervals_of_the_mean_cover_it(count: int) -> None:
    covered = 0
    for values in drawn(150, count, seed=count):
        interval = bootstrap_interval((values,), np.mean)
        assert interval is not None
        covered += interval[0] <= 0 <= interval[1]
    # With 5 runs the range itself covers 94 %. Less three standard errors.
    assert covered / 150 >= (0.87 if count == 5 else 0.9)


def test_the_plain_percentile_interval_is_too_narrow() -> None:
    """Why it is widened."""
    covered = 0
    for values in drawn(150, 5, seed=5):
        interval = bootstrap_interval((values,), np.mean, widened=False)
        assert interval is not None
        covered += interval[0] <= 0 <= interval[1]
    assert covered / 150 < 0.88


def test_intervals_of_a_difference_cover_it() -> None:
    covered = 0
    for first, second in drawn(150, 2, 6):
        interval = bootstrap_interval((first + 2, second), mean_difference)
        assert interval is not None
        covered += interval[0] <= 2 <= interval[1]
    assert covered / 150 >= 0.9


def test_intervals_are_the_same_every_time_and_need_five_runs() -> None:
    values = drawn(7)
    assert bootstrap_interval((values,), np.mean) == bootstrap_interval((values,), np.mean)
    assert bootstrap_interval((values[:4],), np.mean) is None
    few = summarize(values[:4])
    assert (few.mean_interval, few.interquartile_mean) == (None, None)
    many = summarize(values)
    assert many.mean_interval is not None
    assert many.mean_interval[0] < many.mean < many.mean_interval[1]
    assert many.low == values.min()


# How many seeds


@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
def test_so_many_seeds_give_the_power(paired: bool) -> None:
    first, second = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([0.5, 1.0, 2.8, 2.6, 4.0])
    needed = seeds_needed(first, second, paired, alpha=0.05)
    assert needed is not None
    spread = (
        np.std(first - second, ddof=1) if paired else np.sqrt((2.5 + np.var(second, ddof=1)) / 2)
    )
    effect = np.mean(first - second) / spread
    values = drawn(400, 2, needed)
    if paired:
        values /= np.sqrt(2)  # so that gaps have a spread of 1
    hits = [t_test(a + effect, b, paired) < 0.05 for a, b in values]
    assert 0.74 <= np.mean(hits) <= 0.95  # at least 0.8 but for chance


def test_seeds_needed_at_the_edges() -> None:
    same = drawn(5)
    assert seeds_needed(same, same, paired=True, alpha=0.05) is None
    assert seeds_needed(same, same + 1e-6 * drawn(5, seed=1), paired=False, alpha=0.05) is None
    assert seeds_needed(same + 100, same + 0.1 * drawn(5, seed=1), True, 0.05) == 3
    assert MOST_SEEDS == 1000


# Edges


def test_runs_without_variation() -> None:
    same = np.full(5, 2.0)
    equal = compare(same, same, paired=True, alpha=0.05)
    assert (equal.p, equal.effect, equal.difference) == (1.0, 0.0, 0.0)
    apart = compare(same + 1, same, paired=False, alpha=0.05)
    assert apart.p == 0.0
    assert apart.effect == np.inf


def test_fewer_than_three_runs_claim_nothing() -> None:
    comparison = compare(np.array([1.0, 1.1]), np.array([5.0, 5.1]), paired=True, alpha=0.05)
    assert not comparison.enough
    assert comparison.interval is None
    assert comparison.improvement is None
    single = compare(np.array([1.0]), np.array([5.0]), paired=False, alpha=0.05)
    assert single.p == 1.0


def test_what_is_not_finite_is_refused() -> None:
    with pytest.raises(UserError, match="finite values"):
        summarize(np.array([1.0, np.nan]))
