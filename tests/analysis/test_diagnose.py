"""Planted illnesses are named, and no other; healthy or missing evidence is not called ill."""

import math
from dataclasses import replace
from typing import Any

import pytest

from mtgan.analysis import Diagnosis, Evidence, diagnose, findings_of
from mtgan.analysis.diagnose import RULES
from mtgan.recipes import Recipe
from mtgan.training import Run

STEPS = list(range(0, 1000, 100))
HEALTHY = Evidence(
    losses={"discriminator": (STEPS, [-9, -8, -7, -6, -5, -5, -4, -4, -3, -3])},
    frechet=(STEPS, [150, 60, 40, 30, 20, 15, 12, 10, 9, 8]),
    frechet_real=0.5,
    scores=(2.0, 1.9, -2.0),
    score_auc=0.51,
    score_p=0.3,
    spread=0.95,
    siblings=0.9,
    controlled=1.0,
    accuracy=0.8,
    real_accuracy=0.9,
    accuracy_history=(STEPS, [0.1, 0.3, 0.4, 0.5, 0.6, 0.7, 0.7, 0.8, 0.8, 0.8]),
    copies=0.01,
    copies_p=0.5,
)

PLANTED: dict[str, tuple[str, dict[str, Any]]] = {
    "stopped": ("diverging", {"diverged": True}),
    "nan": ("diverging", {"losses": {"generator": ([1, 2], [1.0, math.nan])}}),
    "explosion": ("diverging", {"losses": {"d": (STEPS, [1, 1, 1, 1, 1, 1, 9, 99, 999, 9999])}}),
    "worse": ("diverging", {"frechet": (STEPS, [150, 60, 40, 20, 9, 8, 8, 12, 30, 60])}),
    "copies": ("memorizing", {"copies": 0.4, "copies_p": 1e-9}),
    "one image": ("generator collapsed", {"spread": 0.1}),
    "few images": ("generator collapsed", {"siblings": 0.02}),
    "two classes": ("generator collapsed", {"collapsed_classes": ["Bag", "Shirt"]}),
    "overfit": (
        "discriminator overfits",
        {"scores": (2.0, 0.0, -2.0), "score_auc": 0.8, "score_p": 1e-9},
    ),
    "no control": ("class control lost", {"controlled": 0.1, "accuracy": 0.11}),
    "control gone": ("class control lost", {"accuracy": 0.3}),
    "still": ("stalled", {"frechet": (STEPS, [150, 60, 40, 30, 20, 20.1, 20, 20.3, 19.9, 20])}),
}


def test_healthy_evidence_is_healthy() -> None:
    assert findings_of(HEALTHY) == []
    found = Diagnosis(findings_of(HEALTHY), HEALTHY)
    assert found.names == ["healthy"]
    assert found.verdict == (
        "Healthy: nothing wrong was found. "
        "Samples show the class asked for in 80% (real images: 90%)."
    )


@pytest.mark.parametrize(("name", "change"), PLANTED.values(), ids=list(PLANTED))
def test_a_planted_illness_is_named(name: str, change: dict[str, Any]) -> None:
    (found,) = findings_of(replace(HEALTHY, **change))
    assert found.name == name
    assert found.evidence
    assert found.advice


def test_every_illness_is_planted_here() -> None:
    assert {name for name, _, _ in RULES} == {name for name, _ in PLANTED.values()}


def test_classes_are_named_in_the_evidence() -> None:
    (found,) = findings_of(replace(HEALTHY, collapsed_classes=["Bag", "Shirt"]))
    assert found.evidence == "within classes: Bag and Shirt"


def test_without_evidence_nothing_is_claimed() -> None:
    nothing = Evidence()
    assert findings_of(nothing) == []
    verdict = Diagnosis(findings_of(nothing), nothing).verdict
    assert verdict.startswith("Healthy: nothing wrong was found (not looked at: losses, ")


def test_a_low_distance_that_stays_is_not_stalled() -> None:
    low = (STEPS, [150, 60, 2, 1.5, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2])
    assert findings_of(replace(HEALTHY, frechet=low)) == []


@pytest.mark.parametrize(
    "key", sorted({a.key for _, _, advice in RULES for a in advice}), ids=lambda key: key
)
def test_advice_names_keys_that_recipes_have(key: str) -> None:
    place: Any = Recipe
    for part in key.split("."):
        assert part in place.model_fields
        place = place.model_fields[part].annotation


def test_a_run_is_asked_by_itself(run: Run, tmp_path) -> None:
    found = diagnose(run, n=200)
    assert "class control lost" in found.names
    assert found.evidence.scores is not None
    assert 0 <= found.evidence.score_auc <= 1
    assert found.picture(tmp_path / "diagnose.png").stat().st_size > 5000
    assert found.to_dict()["findings"][0]["advice"][0]["key"]
