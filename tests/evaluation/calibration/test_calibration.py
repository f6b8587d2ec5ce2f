"""Half-samples, floors, readings, and the calibration that is kept."""

import json
import sys
from dataclasses import asdict, replace
from types import ModuleType

import numpy as np
import pytest

from mtgan.evaluation import evaluate
from mtgan.evaluation.cache import save_json
from mtgan.evaluation.calibration.calibrator import Calibrator, half_samples
from mtgan.evaluation.calibration.corruptions import measured_corruptions
from mtgan.evaluation.calibration.scores import (
    Calibration,
    Endpoints,
    interval_of,
    reading,
    standard_error,
)
from mtgan.evaluation.scorecard import CorruptionLevel


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


def test_reading_names_the_nearest_corruption_level():
    levels = [
        CorruptionLevel(
            "missing modes", f"{gone} of 10 classes missing", gone / 10, {"modes": 1 - gone / 10}, 0
        )
        for gone in (1, 3, 5)
    ]
    levels.append(CorruptionLevel("noise", "5% noise", 0.05, {"modes": 0.95}, 0))
    known = measured_corruptions()
    assert reading("modes", 0.68, levels, known) == "like real data with 3 of 10 classes missing"
    assert reading("modes", 0.99, levels, known) == "like held-out real data"
    assert (
        reading("modes", 0.2, levels, known) == "worse than real data with 5 of 10 classes missing"
    )
    assert reading("fidelity", 0.5, levels, known) == ""
    assert reading("modes", 0.5, [], known) == ""


def test_json_round_trip():
    ends = Endpoints({"a": 1.0}, {"a": 9.0})
    calibration = Calibration(ends, (ends,), (("noise", "5%", 0.05, {"a": 3.0}),))
    assert Calibration.from_dict(json.loads(json.dumps(asdict(calibration)))) == calibration


def test_measured_once_per_reference_and_setting(digits, unseen, cache, monkeypatch):
    options = {"n": 80, "resamples": 2, "corruptions": False, "metrics": "precision_recall"}
    first = evaluate(unseen.samples, digits, **options)

    def refuse(*args, **kwargs):
        raise AssertionError("calibrated again")

    monkeypatch.setattr(Calibrator, "calibrate", refuse)
    assert evaluate(unseen.samples, digits, **options).to_json() == first.to_json()
    for change in ({"n": 81}, {"seed": 1}, {"metrics": "density_coverage"}, {"resamples": 3}):
        with pytest.raises(AssertionError, match="calibrated again"):
            evaluate(unseen.samples, digits, **(options | change))


@pytest.fixture
def counted(monkeypatch, tmp_path):
    """A cache of its own, and how often it was calibrated."""
    monkeypatch.setenv("MTGAN_CACHE", str(tmp_path))
    calls = []
    calibrate = Calibrator.calibrate

    def count(self, **options):
        calls.append(self)
        return calibrate(self, **options)

    monkeypatch.setattr(Calibrator, "calibrate", count)
    return calls


def test_a_calibration_depends_on_all_real_data(digits, unseen, counted):
    """On labels and names as well as on images; of held-out and of training data too."""
    options = {"n": 80, "resamples": 0, "corruptions": False, "features": "pixels-pca"}

    def judge(reference=digits, heldout=unseen):
        few = {"metrics": "mode_imbalance", **options}
        evaluate(unseen.samples[:90], reference, heldout=heldout, **few)
        return len(counted)

    def changed(data, **changes):
        return replace(data, stored_fingerprint=None, **changes)

    assert judge() == judge() == 1
    other_labels = unseen.labels.copy()
    other_labels[:, 0] = (other_labels[:, 0] + 1) % 10
    assert judge(heldout=changed(unseen, labels=other_labels)) == 2
    assert judge(heldout=changed(unseen, samples=unseen.samples[::-1])) == 3
    names = dict(digits.taxonomy.classes, fine=tuple("abcdefghij"))
    renamed = replace(digits.taxonomy, classes=names)
    assert judge(changed(digits, taxonomy=renamed), changed(unseen, taxonomy=renamed)) == 4
    assert judge() == 4


def test_a_calibration_depends_on_what_a_feature_function_does(digits, unseen, counted):
    """Not on its source alone, which stays the same where a constant of its module changes."""
    module = ModuleType("feat_changing")
    exec(
        "scale = 1.0\ndef embed(images): return scale * images.flatten(1)[:, :9].float()",
        vars(module),
    )
    sys.modules["feat_changing"] = module
    options = {"n": 80, "resamples": 0, "corruptions": False, "metrics": "precision_recall"}
    try:
        for scale, expected in ((1.0, 1), (1.0, 1), (2.0, 2)):
            module.scale = scale
            evaluate(unseen.samples, digits, features="feat_changing:embed", **options)
            assert len(counted) == expected
    finally:
        del sys.modules["feat_changing"]


@pytest.mark.parametrize(
    "foreign", ["{}", "[]", '{"full": {"ceiling": {}, "floor": {}}}', '{"full": 3, "halves": 1}']
)
def test_a_foreign_calibration_is_measured_anew(digits, unseen, counted, tmp_path, foreign):
    options = {"n": 84, "resamples": 2, "corruptions": False, "metrics": "precision_recall"}
    first = evaluate(unseen.samples, digits, features="pixels", **options)
    (path,) = (tmp_path / "calibrations").iterdir()
    assert save_json(path, json.loads(foreign))
    assert evaluate(unseen.samples, digits, features="pixels", **options) == first
    assert len(counted) == 2


def test_a_damaged_calibration_is_measured_anew(digits, unseen, cache):
    options = {"n": 83, "resamples": 3, "corruptions": False, "metrics": "precision_recall"}
    before = set((cache / "calibrations").glob("*"))
    first = evaluate(unseen.samples, digits, **options)
    (path,) = set((cache / "calibrations").glob("*")) - before
    path.write_text(path.read_text()[:40])
    assert evaluate(unseen.samples, digits, **options).to_json() == first.to_json()
