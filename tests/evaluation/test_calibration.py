"""Half-samples, floors, readings, and the calibration that is kept."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from mtgan.evaluation import evaluate, suite
from mtgan.evaluation.calibration import (
    Anchors,
    Calibration,
    half_samples,
    interval_of,
    reading,
    standard_error,
)
from mtgan.evaluation.scorecard import Rung


def test_spread_over_halves_is_the_standard_error():
    """For a mean it is known: sigma / sqrt(N)."""
    values = np.random.default_rng(0).normal(0, 2, 4000)
    halves = [{"mean": values[rows].mean()} for rows in half_samples(4000, 400, 0)]
    assert standard_error(halves, "mean") == pytest.approx(2 / np.sqrt(4000), rel=0.12)


def test_halves_have_no_repeats():
    for rows in half_samples(101, 5, 3, 1):
        assert len(np.unique(rows)) == len(rows) == 50


def test_intervals():
    assert interval_of(0.5, 0.1, known=True) == pytest.approx((0.304, 0.696))
    assert interval_of(0.98, 0.1, known=True, unit=True)[1] == 1
    assert interval_of(0.5, 0.1, known=False) is None
    assert interval_of(float("nan"), 0.1, known=True) is None


def test_reading_names_the_nearest_rung():
    rungs = [
        Rung(
            "missing modes", f"{gone} of 10 classes missing", gone / 10, {"modes": 1 - gone / 10}, 0
        )
        for gone in (1, 3, 5)
    ]
    rungs.append(Rung("noise", "5% noise", 0.05, {"modes": 0.95}, 0))
    assert reading("modes", 0.68, rungs) == "like real data with 3 of 10 classes missing"
    assert reading("modes", 0.99, rungs) == "like held-out real data"
    assert reading("modes", 0.2, rungs) == "worse than real data with 5 of 10 classes missing"
    assert reading("fidelity", 0.5, rungs) == ""
    assert reading("modes", 0.5, []) == ""


def test_json_round_trip():
    anchors = Anchors({"a": 1.0}, {"a": 9.0})
    calibration = Calibration(anchors, (anchors,), (("noise", "5%", 0.05, {"a": 3.0}),))
    assert Calibration.from_dict(json.loads(json.dumps(asdict(calibration)))) == calibration


def test_measured_once_per_reference_and_setting(digits, unseen, cache, monkeypatch):
    options = {"n": 80, "resamples": 2, "ladder": False, "metrics": "precision_recall"}
    first = evaluate(unseen.samples, digits, **options)

    def refuse(*args, **kwargs):
        raise AssertionError("calibrated again")

    monkeypatch.setattr(suite.Calibrator, "calibrate", refuse)
    assert evaluate(unseen.samples, digits, **options).to_json() == first.to_json()
    for change in ({"n": 81}, {"seed": 1}, {"metrics": "density_coverage"}, {"resamples": 3}):
        with pytest.raises(AssertionError, match="calibrated again"):
            evaluate(unseen.samples, digits, **(options | change))


def test_a_damaged_calibration_is_measured_anew(digits, unseen, cache):
    options = {"n": 83, "resamples": 3, "ladder": False, "metrics": "precision_recall"}
    before = set((cache / "calibrations").glob("*"))
    first = evaluate(unseen.samples, digits, **options)
    (path,) = set((cache / "calibrations").glob("*")) - before
    path.write_text(path.read_text()[:40])
    assert evaluate(unseen.samples, digits, **options).to_json() == first.to_json()
