"""Whether intervals of surveys cover the truth; docs/results/surveys.md has all figures."""

import numpy as np
import pytest
from benchmarks.surveys import CROWD, coverage, power, share, true_strengths, truth_of


def test_the_truth_of_the_simulation_by_another_way() -> None:
    random = np.random.default_rng(0)
    effects = random.normal(0, np.sqrt(2 * 0.25 + 0.25), 2_000_000)
    likely = (1 / (1 + np.exp(-(0.4 + effects)))).mean()
    assert share(CROWD, 0.4, 2, 0.5) == pytest.approx(0.98 * likely + 0.01, abs=1e-3)
    felt = -0.5 + random.normal(0, np.sqrt(0.5), 500_000) + random.logistic(size=500_000)
    points = 1 + sum((felt > limit).astype(int) for limit in (-2.0, -0.7, 0.7, 2.0))
    wanted = 0.98 * points.mean() + 0.02 * 3
    assert truth_of("rating", CROWD)("three") == pytest.approx(wanted, abs=0.01)


def test_true_strengths_shrink_by_what_differs_among_people() -> None:
    found = true_strengths(CROWD, ("one", "two", "three"))
    assert found[:3].sum() == pytest.approx(0)
    assert 0 < found[0] < 0.4333  # those of the crowd less their mean
    assert found[3] == pytest.approx(0)


def test_a_few_surveys_lie_around_the_truth() -> None:
    found = coverage("pairs", 6)
    assert abs(found["one : two"].error / 6) < 0.1
    assert found["strength of one"].surveys == 6


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("design", ["pairs", "label"])
def test_intervals_cover_as_they_say(design: str) -> None:
    found = coverage(design, 500)
    for name, count in found.items():
        most = 0.99 if name == "side" else 0.97
        assert 0.93 <= count.covered / count.surveys <= most, name


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_power_is_as_computed() -> None:
    found = power(0.6, 14, 0.05, 500)
    assert found["found"] == pytest.approx(found["computed"], abs=0.05)
    assert power(0.5, 14, 0.05, 500)["found"] == pytest.approx(0.05, abs=0.025)
