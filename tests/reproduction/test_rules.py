"""Every kind of rule with planted results, for all three verdicts."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtgan.reproduction import verdict
from mtgan.reproduction.material import Fact, Material
from mtgan.reproduction.rules import RULES, Contrast, of_contrasts
from mtgan.reproduction.rules.over_training import (
    end_and_low,
    rank_correlations,
    times_to_the_same,
)
from mtgan.reproduction.schema import Entry
from mtgan.studies.collect import StudyResult
from mtgan.studies.curves import Line
from mtgan.studies.plan import make_plan
from reproduction.conftest import plant
from studies.conftest import fake_study

NEAR = [1.00, 1.02, 0.98, 1.01, 0.99]
FAR = [2.00, 2.01, 1.97, 2.03, 1.99]
WIDE = [0.2, 1.9, 1.1, 0.4, 1.6]


def material(
    out: Path, values: dict[str, list[float]], rule: dict[str, Any], **keys: Any
) -> Material:
    """An entry about arms with these values of the measure `m`."""
    cells = {arm: {"m": column} for arm, column in values.items()}
    entry = Entry(kind="claim", shows="x", claim="y", draw={"table": {}}, rule=rule, **keys)
    failure = {"beyond": {"m": {"above": 1.5}}, "arms": ["recipe"]}
    study = fake_study(out / "study", cells, failure=failure)
    return Material(entry, "small", out, study, {"m": 1.0})


DIFFERENCE = {"difference": {"measure": "m", "pairs": [["a", "b"]], "first_is": "lower"}}
ORDER = {"order": {"measure": "m", "order": ["a", "b"]}}
SAME = {"equivalence": {"measure": "m", "pairs": [["a", "b"]], "within": 0.1}}
LEVEL = {"level": {"measure": "m", "arms": ["a"], "above": 1.5}}
SHARE = {"share": {"arms": ["a"], "above": 0.3}}
FEWER = {"fewer-failures": {"first": "a", "second": "b"}}


@pytest.mark.parametrize(
    ("rule", "first", "second", "outcome"),
    [
        (DIFFERENCE, NEAR, FAR, "holds"),
        (DIFFERENCE, FAR, NEAR, "contradicted"),
        (DIFFERENCE, WIDE, NEAR, "not decided"),
        (ORDER, NEAR, FAR, "holds"),
        (ORDER, FAR, NEAR, "contradicted"),
        (ORDER, WIDE, NEAR, "not decided"),
        (SAME, NEAR, [1.01, 1.0, 0.99, 1.0, 1.0], "holds"),
        (SAME, FAR, NEAR, "contradicted"),
        (SAME, WIDE, NEAR, "not decided"),
        (LEVEL, FAR, NEAR, "holds"),
        (LEVEL, NEAR, NEAR, "contradicted"),
        (LEVEL, [1.3, 1.8, 1.4, 1.7, 1.4], NEAR, "not decided"),
        (FEWER, [1.0] * 8, [2.0] * 8, "holds"),
        (FEWER, [2.0] * 8, [1.0] * 8, "contradicted"),
        (FEWER, [2.0] * 3, [1.0] * 3, "not decided"),
        (SHARE, [2.0] * 5, NEAR, "holds"),
        (SHARE, [1.0] * 20, NEAR * 4, "contradicted"),
        (SHARE, [2.0, 1.0, 1.0, 1.0, 1.0], NEAR, "not decided"),
    ],
)
def test_the_three_verdicts(
    tmp_path: Path, rule: dict, first: list[float], second: list[float], outcome: str
) -> None:
    found = verdict.judge(material(tmp_path, {"a": first, "b": second}, rule))
    assert found.outcome == outcome
    assert len(found.parts) == 1
    if outcome == "not decided":
        assert "too few seeds (" in found.reason
        assert "needed" in found.reason


def test_every_kind_of_rule_is_planted_here() -> None:
    planted = {*DIFFERENCE, *ORDER, *SAME, *LEVEL, *SHARE, *FEWER}
    assert {*RULES.names()} == planted | {"turn", "sooner", "correlation", "answer", "as-printed"}


def test_a_claim_of_two_parts_is_contradicted_by_one_and_needs_both(tmp_path: Path) -> None:
    rule = {"order": {"measure": "m", "order": ["a", "b", "c"]}}
    arms = {"a": NEAR, "b": FAR}
    more = {"c": [3 + x for x in NEAR]}
    less = {"c": NEAR}
    assert verdict.judge(material(tmp_path / "1", {**arms, **more}, rule)).outcome == "holds"
    assert verdict.judge(material(tmp_path / "2", {**arms, **less}, rule)).outcome == "contradicted"
    found = verdict.judge(material(tmp_path / "3", {**arms, "c": WIDE}, rule))
    assert found.outcome == "contradicted" or found.outcome == "not decided"
    assert len(found.parts) == 2


def test_holm_is_taken_over_all_parts() -> None:
    """p of 0.03 each: alone it is below 0.05, of two of them it is not."""
    from scipy import stats

    gaps = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    zero = np.zeros(5)
    shift = next(s for s in np.linspace(0, 3, 3001) if stats.ttest_1samp(gaps - s, 0).pvalue > 0.03)
    one = Contrast("x", gaps - shift, zero)
    assert of_contrasts([one], "higher").outcome == "holds"
    assert of_contrasts([one, one], "higher").outcome == "not decided"


def test_two_seeds_decide_nothing(tmp_path: Path) -> None:
    found = verdict.judge(material(tmp_path, {"a": [1.0, 1.0], "b": [2.0, 2.1]}, DIFFERENCE))
    assert found.outcome == "not decided"


def test_an_arm_without_runs_decides_nothing(tmp_path: Path) -> None:
    found = verdict.judge(material(tmp_path, {"a": NEAR, "b": [float("nan")] * 5}, DIFFERENCE))
    assert found.outcome == "not decided"
    assert "no finished run has values" in found.reason


def test_before_all_runs_are_there_nothing_is_decided(tmp_path: Path) -> None:
    """Whatever those that are there show: who looks early can stop where it suits."""
    one = material(tmp_path, {"a": NEAR, "b": FAR}, DIFFERENCE)
    assert verdict.judge(one).outcome == "holds"
    [record, *_] = sorted((tmp_path / "study").rglob("result.json"))
    record.unlink()
    early = replace(one, result=StudyResult.open(tmp_path / "study"))
    found = verdict.judge(early)
    reason = "1 of the 10 runs of its study are not finished"
    assert (found.outcome, found.reason) == ("not decided", reason)
    assert found.parts


# The regime


def test_a_weak_regime_decides_nothing(tmp_path: Path) -> None:
    rule = {"difference": {"measure": "m", "pairs": [["a", "b"]], "first_is": "lower"}}
    low = [0.3 + 0.01 * x for x in range(5)]
    arms = {"a": low, "b": [0.79, 0.78, 0.77, 0.78, 0.79]}
    found = verdict.judge(material(tmp_path, arms, rule, obeys="m"))
    assert found.outcome == "not decided"
    assert "too weak a regime (the best arm, b, has m 0.782, under 0.8 of the 1" in found.reason
    arms = {"a": low, "b": [0.81, 0.82, 0.83, 0.82, 0.81]}
    strong = material(tmp_path / "2", arms, rule, obeys="m")
    assert verdict.judge(strong).outcome == "holds"


def test_at_tiny_nothing_is_decided(tmp_path: Path) -> None:
    one = material(tmp_path, {"a": NEAR, "b": FAR}, DIFFERENCE)
    one.scale = "tiny"
    found = verdict.judge(one)
    assert found.outcome == "not decided"
    assert "tiny" in found.reason
    assert found.parts


def test_what_claims_nothing_is_not_judged(tmp_path: Path) -> None:
    one = material(tmp_path, {"a": NEAR}, {})
    assert verdict.judge(one).outcome == "not judged"


# Curves


def curve_of(tmp_path: Path, rule: dict, logged: Any) -> str:
    study = fake_study(tmp_path / "study", {arm: {"m": NEAR} for arm in "ab"}).study
    plan = make_plan(study.model_copy(update={"curves": _curves("loss", "distance")}))
    plant(plan, tmp_path / "planted", lambda *key: 1.0, logged)
    entry = Entry(kind="claim", shows="x", claim="y", draw={"table": {}}, rule=rule)
    result = StudyResult.open(tmp_path / "planted")
    return verdict.judge(Material(entry, "small", tmp_path, result)).outcome


def _curves(*names: str) -> list:
    from mtgan.studies.measures import Curve

    return [Curve(name=name) for name in names]


TURN = {"turn": {"value": "loss", "arms": ["a"]}}


@pytest.mark.parametrize(
    ("shape", "outcome"),
    [
        (lambda step, seed: (step - 5) ** 2 + 0.1 * seed, "holds"),
        (lambda step, seed: 10.0 - step + 0.1 * seed, "contradicted"),
        (lambda step, seed: (step - 5) * (seed - 2.1) * 3, "not decided"),
    ],
)
def test_a_curve_turns_before_its_end(tmp_path: Path, shape: Any, outcome: str) -> None:
    assert curve_of(tmp_path, TURN, lambda arm, seed, name, step: shape(step, seed)) == outcome


def test_the_low_is_looked_for_in_the_other_runs() -> None:
    runs = {
        0: np.array([5.0, 1.0, 3.0, 4.0, 4.0, 9.0]),
        1: np.array([5.0, 4.0, 2.0, 4.0, 4.0, 7.0]),
    }
    ends, lows = end_and_low(Line(np.arange(6.0), runs))
    assert ends.tolist() == [9, 7]
    assert lows.tolist() == [3, 4]  # each at the place of the other's lowest


SOONER = {
    "sooner": {
        "value": "loss",
        "first": "a",
        "second": "b",
        "over": "iterations",
        "better": "higher",
    }
}


@pytest.mark.parametrize(
    ("pace", "outcome"),
    [
        (lambda arm, seed: 2.0 if arm == "a" else 1.0, "holds"),
        (lambda arm, seed: 1.0 if arm == "a" else 2.0, "contradicted"),
        (lambda arm, seed: 2.0 if (arm == "a") == (seed % 2 == 0) else 1.0, "not decided"),
    ],
)
def test_one_arm_is_sooner_as_good(tmp_path: Path, pace: Any, outcome: str) -> None:
    def logged(arm: str, seed: int, name: str, step: int) -> float:
        return float(step * pace(arm, seed) + 0.01 * seed)

    assert curve_of(tmp_path, SOONER, logged) == outcome


def test_the_same_is_what_the_worse_one_reaches() -> None:
    """Up to 6 and 3: 3 is reached at the end of one, and half way between two points of the
    other; what falls again counts as reached. Lower is better where the sign says so."""
    first = Line(np.arange(4.0), {0: np.array([0.0, 2.0, 4.0, 6.0]), 1: np.array([9.0, 1, 1, 1])})
    second = Line(np.arange(4.0) * 10, {0: np.array([0.0, 1.0, 3.0, 2.0])})
    assert times_to_the_same(first, second, 1).tolist() == [[1.5, 20.0]]
    assert times_to_the_same(second, first, -1).tolist() == [[0.0, 0.0]]


CORRELATION = {"correlation": {"values": ["loss", "distance"], "arms": ["a"], "above": 0.3}}


@pytest.mark.parametrize(
    ("signs", "outcome"),
    [
        ([1, 1, 1, 1, 1], "holds"),
        ([-1, -1, -1, -1, -1], "contradicted"),
        ([1, -1, 1, -1, 1], "not decided"),
    ],
)
def test_two_curves_go_together(tmp_path: Path, signs: list[int], outcome: str) -> None:
    def logged(arm: str, seed: int, name: str, step: int) -> float:
        return float(step if name == "loss" else signs[seed] * step + 0.01 * (step == seed))

    assert curve_of(tmp_path, CORRELATION, logged) == outcome


def test_rank_correlations_read_the_longer_curve_between_its_points() -> None:
    long = Line(np.arange(8.0), {0: np.array([0.0, 1, 2, 3, 4, 5, 6, 7]) ** 2})
    short = Line(np.array([0.5, 2.5, 4.5, 6.5]), {0: np.array([4.0, 3.0, 2.0, 1.0])})
    assert rank_correlations(long, short).tolist() == [-1]
    flat = Line(short.x, {0: np.ones(4)})
    assert not len(rank_correlations(long, flat))


# Answers and facts


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([True] * 5, "contradicted"),
        ([False] * 5, "holds"),
        ([True, False, True, False, False], "not decided"),
        ([None] * 5, "not decided"),
    ],
)
def test_answers_of_an_analysis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: list, outcome: str
) -> None:
    rule = {"answer": {"arms": ["a"], "analysis": "n", "value": ["x", "y"], "below": 0.5}}
    found = [{"x": {"y": answer}} for answer in answers]
    monkeypatch.setattr(Material, "answers", lambda self, *key: found)
    assert verdict.judge(material(tmp_path, {"a": NEAR}, rule)).outcome == outcome


def test_facts_as_printed(tmp_path: Path) -> None:
    one = material(tmp_path, {"a": NEAR}, {"as-printed": {}})
    assert verdict.judge(one).outcome == "not decided"  # nothing was compared
    one.facts = [Fact("batch", "64", "64"), Fact("rate", "0.1", "0.1")]
    assert verdict.judge(one).outcome == "holds"
    one.facts.append(Fact("steps", "5", "4"))
    found = verdict.judge(one)
    assert found.outcome == "contradicted"
    assert "steps: 5 against 4" in found.reason
