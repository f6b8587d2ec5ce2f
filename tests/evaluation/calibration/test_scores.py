"""From values to scores, axes and the overall figure: a card that is worked out by hand."""

import math

import pytest

from mtgan.evaluation.calibration.scores import Calibration, Endpoints, Scores, score
from mtgan.evaluation.metrics import Metric, Outcome, Output
from mtgan.evaluation.scorecard.values import Entry

OUTPUTS = (
    Output("distance", "lower", "fidelity", "distance"),
    Output("rate", "higher", "modes"),
    Output("spread", "higher", "diversity"),
    Output("obeyed", "higher", "conditioning", axis_per_level=True),
    Output("reported", "lower"),
)
METRICS = [Metric("all", OUTPUTS, lambda comparison: Outcome({}))]
CEILING = {"distance": 1.0, "rate": 1.0, "spread": 1.0, "reported": 1.0}
FLOOR = {"distance": 25.0, "rate": 0.2, "spread": 0.0, "reported": 9.0}
ENDS = Endpoints(
    {**CEILING, "obeyed/fine": 1.0, "obeyed/coarse": 1.0, "obeyed/top": 1.0},
    {**FLOOR, "obeyed/fine": 0.0, "obeyed/coarse": 0.0},  # "top" has no floor
)
VALUES = {
    "distance": 9.0,  # roots 3 of 1 to 5: half way
    "rate": 0.6,
    "obeyed/fine": 0.8,
    "obeyed/coarse": 0.1,
    "obeyed/top": 0.3,
    "reported": 4.0,
}
HALVES = [
    {**VALUES, "distance": 4.0, "obeyed/coarse": 0.0},
    {**VALUES, "distance": 16.0, "obeyed/coarse": 0.0},
]
LEVEL = {"distance": 4.0, "rate": 0.6, "spread": 0.25, "obeyed/coarse": 0.0, "obeyed/fine": 0.5}


@pytest.fixture(scope="module")
def found() -> Scores:
    """Of a card whose judge is too weak for the coarse level, and which lacks the spread."""
    axes = {"distance": "fidelity", "rate": "modes", "reported": ""}
    axes |= {f"obeyed/{level}": f"conditioning/{level}" for level in ("fine", "coarse", "top")}
    entries = {key: Entry(value, "", axes[key], "pixels", 9) for key, value in VALUES.items()}
    levels = (("noise", "5% noise", 0.05, LEVEL),)
    calibration = Calibration(ENDS, (ENDS, ENDS), levels)
    return score(entries, HALVES, calibration, METRICS, frozenset({"conditioning/coarse"}))


def geometric(*values: float) -> float:
    return math.prod(values) ** (1 / len(values))


def test_what_counts_for_an_axis_that_is_judged_and_has_both_ends_gets_a_score(found) -> None:
    scores = {key: entry.score for key, entry in found.entries.items()}
    assert scores == {
        "distance": pytest.approx(0.5),
        "rate": pytest.approx(0.5),
        "obeyed/fine": pytest.approx(0.8),
        "obeyed/coarse": None,
        "obeyed/top": None,
        "reported": None,
    }
    assert (found.entries["reported"].ceiling, found.entries["reported"].floor) == (1.0, 9.0)
    assert found.entries["obeyed/top"].floor is None


def test_axes_are_in_order_and_make_the_overall_figure(found) -> None:
    values = {axis: part.score for axis, part in found.axes.items()}
    assert values == pytest.approx({"fidelity": 0.5, "modes": 0.5, "conditioning/fine": 0.8})
    assert list(values) == ["fidelity", "modes", "conditioning/fine"]
    assert found.overall == pytest.approx(geometric(0.5, 0.5, 0.8))
    assert found.gate is None


def test_intervals_are_of_the_same_axes_and_end_at_nought_and_one(found) -> None:
    """What the judge is too weak for is nought in both halves, and changes nothing."""
    # Fidelity is 0.75 and 0.25 in the halves, of which the standard deviation is sqrt(1 / 8).
    error = 1.96 * math.sqrt(1 / 8)
    assert error > 0.5
    assert found.axes["fidelity"].interval == pytest.approx((0.0, 1.0))
    assert found.axes["modes"].interval == pytest.approx((0.5, 0.5))
    first, second = geometric(0.75, 0.5, 0.8), geometric(0.25, 0.5, 0.8)
    half_width = 1.96 * (first - second) / math.sqrt(2)
    total = geometric(0.5, 0.5, 0.8)
    assert found.interval == pytest.approx((total - half_width, total + half_width))


def test_a_corruption_level_has_all_axes_but_the_conditioning_that_was_not_judged(found) -> None:
    (level,) = found.corruption_levels
    expected = {"fidelity": 0.75, "modes": 0.5, "diversity": 0.25, "conditioning/fine": 0.5}
    assert dict(level.axes) == pytest.approx(expected)
    assert level.overall == pytest.approx(geometric(0.75, 0.5, 0.25, 0.5))
    assert dict(level.values) == LEVEL
