"""Scores: 1 at real, 0 at the floor, monotone between, never better than real."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtgan.evaluation.scorecard.scoring import SCALES, axis_scores, gate, overall


@pytest.mark.parametrize("name", list(SCALES))
@given(real=st.floats(0, 1e3), floor=st.floats(0, 1e3))
def test_ends(name, real, floor):
    if abs(real - floor) < 1e-3:
        return
    assert SCALES[name](real, real, floor) == pytest.approx(1)
    assert SCALES[name](floor, real, floor) == pytest.approx(0)


@pytest.mark.parametrize("name", ["distance", "linear"])
def test_monotone_towards_the_floor_and_flat_beyond(name):
    scores = [SCALES[name](value, 2.0, 50.0) for value in (-1, 2, 3, 10, 30, 50, 80)]
    assert scores[0] == scores[1] == 1
    assert scores[-1] == scores[-2] == 0
    assert all(a > b for a, b in itertools.pairwise(scores[1:6]))


def test_linear_serves_rates_that_should_be_high():
    assert SCALES["linear"](0.5, 0.9, 0.1) == pytest.approx(0.5)
    assert SCALES["linear"](0.95, 0.9, 0.1) == 1


def test_two_sided_punishes_better_than_real():
    score = SCALES["two-sided"]
    assert score(0.93, 0.83, 0.0) == pytest.approx(1 - 0.1 / 0.83)
    assert score(0.73, 0.83, 0.0) == pytest.approx(score(0.93, 0.83, 0.0))


def test_distance_is_linear_in_the_root():
    score = SCALES["distance"]
    assert score(25, 1, 81) == pytest.approx(0.5)
    assert score(-0.01, -0.003, 2.5) == 1, "an unbiased estimate may be negative"
    assert score(0.5, 1, 81) == 1


def test_an_axis_without_room_is_left_out():
    assert math.isnan(SCALES["linear"](0.3, 0.5, 0.5))
    assert axis_scores([("a", math.nan), ("a", 0.4), ("", 0.1), ("b", math.nan)]) == {"a": 0.4}


def test_collapse_and_copies_cannot_be_bought_back():
    good = {"distribution": 1.0, "fidelity": 1.0, "authenticity": 1.0}
    assert overall(good) == pytest.approx(1)
    assert overall(good | {"diversity": 0.0}) == 0
    assert overall(good | {"authenticity": 0.0}) == 0
    assert overall(good | {"authenticity": 0.45}) == pytest.approx(0.5)
    assert overall(good | {"authenticity": 0.92}) == pytest.approx(1)
    assert gate({"fidelity": 1.0}) is None


def test_label_levels_share_one_vote():
    axes = {"distribution": 1.0, "conditioning/fine": 0.2, "conditioning/coarse": 0.6}
    assert overall(axes) == pytest.approx(math.sqrt(0.4))


@given(st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1), min_size=1))
def test_overall_stays_between_worst_and_best(axes):
    assert min(axes.values()) - 1e-9 <= overall(axes) <= max(axes.values()) + 1e-9
