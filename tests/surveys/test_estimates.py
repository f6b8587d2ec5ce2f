"""Shares, differences and strengths, against values worked out by hand and by other libraries."""

import choix
import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.sandwich_covariance import cov_cluster_2groups

from mtgan.surveys.bradley_terry import strengths
from mtgan.surveys.designs import DESIGNS
from mtgan.surveys.estimates import difference, mean, share_of_pair, variance, wilson
from mtgan.surveys.table import Answers


def rows_of(outcome, rater, stimulus, first, second=None, flipped=None) -> Answers:
    """Answers to main trials about models a, b, c, ..."""
    count = len(outcome)
    outcome = np.asarray(outcome, dtype=float)
    second = np.full(count, -1) if second is None else np.asarray(second)
    text = np.array([""] * count, dtype=object)
    return Answers(
        raters=tuple(f"r{i}" for i in range(max(rater) + 1)),
        names=tuple("abcdef"),
        rater=np.asarray(rater),
        stimulus=np.asarray(stimulus),
        place=np.arange(count),
        kind=np.array(["main"] * count),
        arms=np.stack([np.asarray(first), second], axis=1),
        flipped=np.zeros(count, dtype=bool) if flipped is None else np.asarray(flipped),
        of_class=text,
        answer=np.array([str(int(x)) for x in outcome], dtype=object),
        outcome=outcome,
        right=np.full(count, np.nan),
        ms=np.full(count, 1000.0),
        above={},
    )


def test_wilson_as_statsmodels_has_it() -> None:
    for share, count in ((0.3, 50), (0.0, 20), (1.0, 7)):
        low, high = proportion_confint(share * count, count, method="wilson")
        assert wilson(share, count, stats.norm.ppf(0.975)) == pytest.approx((low, high))


def test_variance_by_hand() -> None:
    """Two clusters of sums 3 and -3: (9 + 9) * 2 / 1 = 36."""
    assert variance(np.array([1.0, 2.0, -3.0]), np.array([0, 0, 1])) == 36


def test_variance_by_two_ways_as_statsmodels_has_it() -> None:
    random = np.random.default_rng(0)
    rater, stimulus = np.repeat(np.arange(12), 20), np.tile(np.arange(60), 4)
    effects = random.normal(size=12)[rater] + random.normal(size=60)[stimulus]
    values = effects + random.normal(size=240)
    fitted = sm.OLS(values, np.ones(240)).fit()
    theirs = cov_cluster_2groups(fitted, rater, stimulus, use_correction=False)[0][0, 0]
    influence = (values - values.mean()) / 240
    both = variance(influence, np.arange(240)) * 239 / 240
    ours = variance(influence, rater) * 11 / 12 + variance(influence, stimulus) * 59 / 60 - both
    assert ours == pytest.approx(theirs)
    found = variance(influence, rater, stimulus)
    parts = variance(influence, rater), variance(influence, stimulus)
    assert found == pytest.approx(sum(parts) - variance(influence, np.arange(240)))


def test_a_share_of_independent_answers_has_wilson_s_interval() -> None:
    """One answer of each rater, of a stimulus of its own: n - 1 answers, by the factor."""
    outcome = np.repeat([1.0, 0.0], [30, 70])
    rows = rows_of(outcome, np.arange(100), np.arange(100), np.zeros(100, dtype=int))
    found = mean("chosen", "a", rows, outcome, binary=True)
    assert found.value == 0.3
    assert found.interval == pytest.approx(wilson(0.3, 99, stats.t.ppf(0.975, 99)))
    assert (found.answers, found.raters, found.stimuli) == (100, 100, 100)


def test_answers_that_are_alike_within_raters_count_once() -> None:
    """Ten raters who each give one answer ten times tell as much as ten answers."""
    outcome = np.repeat([1.0, 0, 1, 0, 0, 1, 1, 1, 0, 1], 10)
    rows = rows_of(outcome, np.repeat(np.arange(10), 10), np.arange(100), np.zeros(100, dtype=int))
    found = mean("chosen", "a", rows, outcome, binary=True)
    assert found.interval == pytest.approx(wilson(0.6, 9, stats.t.ppf(0.975, 9)))


def test_where_nothing_varies_the_raters_are_counted() -> None:
    rows = rows_of(np.ones(40), np.repeat(np.arange(4), 10), np.arange(40), np.zeros(40, dtype=int))
    found = mean("chosen", "a", rows, rows.outcome, binary=True)
    assert found.interval == pytest.approx(wilson(1.0, 4, stats.t.ppf(0.975, 3)))
    alone = rows.of_rater(0)
    assert mean("chosen", "a", alone, alone.outcome, binary=True).interval is None


def test_a_difference_between_models_is_a_t_test_of_raters() -> None:
    """Each rater judges each model once, in means of many stimuli: the paired t-test."""
    random = np.random.default_rng(1)
    one = random.normal(0.6, 0.2, 15)
    other = one - random.normal(0.1, 0.1, 15)
    rater = np.tile(np.arange(15), 2)
    # All answers of a rater about one model are alike, so that stimuli add nothing.
    rows = rows_of(np.concatenate([one, other]), rater, rater, np.repeat([0, 1], 15))
    found = difference("a", "b", rows)
    paired = stats.ttest_rel(one, other)
    assert found.value == pytest.approx((one - other).mean())
    assert found.p == pytest.approx(paired.pvalue)
    assert found.interval == pytest.approx(tuple(paired.confidence_interval()))


def test_a_difference_without_variation_is_a_sign_test() -> None:
    rater = np.tile(np.arange(6), 2)
    rows = rows_of(np.repeat([1.0, 0.0], 6), rater, np.arange(12), np.repeat([0, 1], 6))
    assert difference("a", "b", rows).p == 2 / 2**6
    same = rows_of(np.ones(12), rater, np.arange(12), np.repeat([0, 1], 6))
    assert difference("a", "b", same).p == 1


def test_the_p_of_a_pair_agrees_with_its_interval() -> None:
    random = np.random.default_rng(2)
    for share in (0.5, 0.58, 0.62, 0.7):
        chosen = (random.random(200) < share).astype(float)
        rater = np.repeat(np.arange(20), 10)
        # Half of them name the pair the other way round.
        first = np.tile([0, 1], 100)
        outcome = np.where(first == 0, chosen, 1 - chosen)
        found = share_of_pair("a", "b", rows_of(outcome, rater, np.arange(200), first, 1 - first))
        assert found.value == pytest.approx(chosen.mean())
        assert found.interval is not None
        outside = not found.interval[0] <= 0.5 <= found.interval[1]
        assert outside == (found.p < 0.05)


def many_pairs(count: int, side: float = 0.0, seed: int = 0) -> Answers:
    """Choices between four models of strengths 0.9, 0.3, -0.2 and -1."""
    random = np.random.default_rng(seed)
    true = np.array([0.9, 0.3, -0.2, -1.0])
    first, step = random.integers(4, size=count), random.integers(1, 4, size=count)
    second, flipped = (first + step) % 4, random.random(count) < 0.5
    pull = np.where(flipped, -side, side)
    chosen = random.random(count) < 1 / (1 + np.exp(-(true[first] - true[second] + pull)))
    return rows_of(chosen, np.arange(count) % 30, np.arange(count), first, second, flipped)


def test_strengths_as_choix_has_them() -> None:
    rows = many_pairs(3_000)
    found = strengths(rows)
    assert found is not None
    won = [
        (int(a), int(b)) if chosen else (int(b), int(a))
        for (a, b), chosen in zip(rows.arms, rows.outcome, strict=True)
    ]
    # Without the term of the side, which choix does not know, nearly the same.
    assert found.values == pytest.approx(choix.opt_pairwise(4, won), abs=0.01)
    assert sum(found.values) == pytest.approx(0, abs=1e-9)


def test_strengths_and_side_as_a_logistic_regression_has_them() -> None:
    rows = many_pairs(2_000, side=0.7)
    found = strengths(rows)
    assert found is not None
    exog = np.zeros((2_000, 5))
    exog[np.arange(2_000), rows.arms[:, 0]] += 1
    exog[np.arange(2_000), rows.arms[:, 1]] -= 1
    exog[:, 4] = np.where(rows.flipped, -1, 1)
    fitted = sm.Logit(rows.outcome, exog[:, 1:]).fit(disp=0)  # the first strength is 0
    centered = np.array([0, *fitted.params[:3]]) - np.mean([0, *fitted.params[:3]])
    assert found.values == pytest.approx(centered, abs=1e-6)
    assert found.side == pytest.approx(fitted.params[3], abs=1e-6)
    # Answers are independent here, so that the usual interval comes out, about.
    assert found.side_interval is not None
    width = found.side_interval[1] - found.side_interval[0]
    assert width == pytest.approx(2 * 2.045 * fitted.bse[3], rel=0.3)


def test_a_leaning_to_one_side_does_not_move_strengths() -> None:
    straight, leaning = (strengths(many_pairs(6_000, side)) for side in (0.0, 1.0))
    assert straight is not None
    assert leaning is not None
    assert leaning.values == pytest.approx(straight.values, abs=0.12)
    assert (straight.side, leaning.side) == pytest.approx((0.0, 1.0), abs=0.12)
    assert leaning.side_p < 1e-6


def test_strengths_that_are_not_finite_are_not_told() -> None:
    first, second = np.array([0, 0, 1, 1]), np.array([1, 2, 2, 0])
    rows = rows_of([1, 1, 1, 0], [0, 1, 0, 1], range(4), first, second)
    assert strengths(rows) is None  # a won every time, and c lost


def test_who_always_takes_one_side_says_nothing_of_models() -> None:
    flipped = np.tile([False, True], 10)
    rows = rows_of(~flipped, np.repeat(np.arange(4), 5), range(20), [0] * 20, [1] * 20, flipped)
    found = strengths(rows)
    assert found is not None
    assert found.values == pytest.approx((0, 0))
    assert share_of_pair("a", "b", rows).value == 0.5


def test_the_error_rate_of_people_is_of_both_kinds() -> None:
    """Of a, 3 of 4 are taken for real; of 8 real ones 2 are taken for fakes: (3/4 + 1/4) / 2."""
    rows = rows_of(
        [1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 0], np.tile([0, 1], 6), range(12), [0] * 4 + [1] * 8
    )
    named = Answers(**{**rows.__dict__, "names": ("a", "real")})
    found = DESIGNS.get("real-or-fake").measures(named)
    assert [(one.what, one.arm, one.value) for one in found] == [
        ("error rate", "a", 0.5),
        ("taken for real", "a", 0.75),
        ("taken for real", "real", 0.75),
    ]


def test_a_class_is_found_at_every_level() -> None:
    rows = rows_of([1, 0, 0, 0], [0, 0, 1, 1], range(4), [0] * 4)
    above = {name: {"coarse": group} for name, group in zip("pqst", "xxyy", strict=True)}
    told = Answers(
        **{
            **rows.__dict__,
            "of_class": np.array(["p", "p", "s", "s"], dtype=object),
            "answer": np.array(["p", "q", "t", "p"], dtype=object),
            "above": above,
        }
    )
    found = DESIGNS.get("label").measures(told)
    values = {(one.what, one.of_class): one.value for one in found}
    assert values == {
        ("class found", ""): 0.25,
        ("class found", "p"): 0.5,
        ("class found", "s"): 0.0,
        ("class found at level coarse", ""): 0.75,
    }
