"""Sample sizes, against the formulas and statsmodels."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from mtgan.errors import UserError
from mtgan.surveys.designs import DESIGNS
from mtgan.surveys.power import answers_each, effect_of, power_with, raters_needed

PAIRS, RATING = DESIGNS.get("pairs"), DESIGNS.get("rating")


def test_one_share_by_hand() -> None:
    """Without correlation, and with many raters, the textbook's normal approximation: n answers
    find 0.6 against 0.5 with power Phi((0.1 - 1.96 sqrt(.25 / n)) / sqrt(.24 / n))."""
    raters = np.array([1_000])
    found = power_with(PAIRS.effect(0.6), raters, 0.2, 0.05, rho=0.0)
    expected = stats.norm.cdf((0.1 - 1.96 * np.sqrt(0.25 / 200)) / np.sqrt(0.24 / 200))
    assert found[0] == pytest.approx(expected, abs=0.002)


def test_two_shares_as_statsmodels_has_them() -> None:
    found = power_with(DESIGNS.get("label").effect(0.6), np.array([2_000]), 0.2, 0.05, rho=0.0)
    other = NormalIndPower().power(proportion_effectsize(0.6, 0.5), 400, 0.05)
    assert found[0] == pytest.approx(other, abs=0.01)


def test_alike_answers_count_for_fewer() -> None:
    """20 answers with correlation 0.05 tell as much as 20 / 1.95."""
    alike = power_with(PAIRS.effect(0.6), np.array([30]), 20, 0.05, rho=0.05)
    apart = power_with(PAIRS.effect(0.6), np.array([30]), 20 / 1.95, 0.05, rho=0.0)
    assert alike == pytest.approx(apart)


def test_the_fewest_raters_are_found() -> None:
    raters, power = raters_needed(PAIRS, 0.6, 0.8, 20, 0.05, 0.05)
    counts = np.array([raters - 1, raters])
    before, reached = power_with(PAIRS.effect(0.6), counts, 20, 0.05, 0.05)
    assert before < 0.8 <= reached == power


def test_what_cannot_be_found_is_said() -> None:
    with pytest.raises(UserError, match=r"a share between 0 and 1 other than 0\.5"):
        effect_of(PAIRS, 0.5)
    with pytest.raises(UserError, match="a difference of mean ratings"):
        effect_of(RATING, -1)
    with pytest.raises(UserError, match=r"more than 100,000 raters"):
        raters_needed(PAIRS, 0.50001, 0.8, 1, 0.05, 0.0)


def test_each_question_gets_its_share_of_the_trials() -> None:
    assert answers_each(PAIRS, 3, False, 60) == 20  # three pairs
    assert answers_each(PAIRS, 3, True, 60) == 10  # six
    assert answers_each(DESIGNS.get("real-or-fake"), 2, False, 60) == 15  # half are real
    assert answers_each(RATING, 3, False, 60) == 20
