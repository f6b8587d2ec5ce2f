"""The error of numbers, on bars whose place is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge, RidgeCV

from mtgan.data import Dataset, Taxonomy
from mtgan.errors import UserError
from mtgan.evaluation import Evaluator, evaluate
from mtgan.evaluation.calibration.corruptions.wrong_labels import dealt_anew
from mtgan.evaluation.features.fitness import NumberFitness, measure_numbers
from mtgan.evaluation.features.judge import Judge
from mtgan.evaluation.features.pixels import PixelFeatures
from mtgan.evaluation.features.probe import STRENGTHS, NumberProbe
from mtgan.evaluation.metrics.label_error import label_error
from mtgan.runs import evaluate_run
from mtgan.training import train
from toys import make_bars, make_data, small_recipe


def unlabeled(data: Dataset) -> Dataset:
    return replace(data, labels=data.labels[:, :0], taxonomy=Taxonomy((), {}, {}))


def card(samples: Dataset, real: Dataset, **options):
    options = {"metrics": "label_error", "features": "pixels", "corruptions": False} | options
    return evaluate(samples, real, **options)


@pytest.fixture(scope="module")
def real() -> Dataset:
    return make_bars(300)


@pytest.fixture(scope="module")
def unseen() -> Dataset:
    return make_bars(150, seed=1)


def test_by_hand() -> None:
    wanted = np.array([1.0, np.nan, 4.0, -2.0], dtype=np.float32)
    assert label_error(np.array([2.0, 9.0, 4.0, 0.0]), wanted) == pytest.approx((1 + 0 + 2) / 3)
    with pytest.raises(UserError, match=r"found \[3\] and \[2\]"):
        label_error(np.zeros(3), np.zeros(2))
    with pytest.raises(UserError, match="all are nan"):
        label_error(np.zeros(2), np.full(2, np.nan))


@pytest.mark.parametrize(("count", "dim", "noise"), [(200, 20, 1.0), (60, 90, 1.0), (200, 20, 9.0)])
def test_the_regression_is_that_of_sklearn(count: int, dim: int, noise: float) -> None:
    random = np.random.default_rng(0)
    x = (random.standard_normal((count, dim)) * 3 + 5).astype(np.float32)
    x[:, -1] = 7  # says nothing
    y = x[:, 0] - 2 * x[:, 1] + noise * random.standard_normal(count) + 40
    y[3] = np.nan
    probe = NumberProbe.fit(x, y)
    points, wanted = np.delete(x, 3, 0).astype(float), np.delete(y, 3)
    points = (points - points.mean(0)) / np.sqrt(points.var(0).mean())
    assert probe.strength == RidgeCV(alphas=STRENGTHS).fit(points, wanted).alpha_
    expected = Ridge(alpha=probe.strength).fit(points, wanted).predict(points)
    expected = expected.clip(wanted.min(), wanted.max())
    np.testing.assert_allclose(probe.predict(np.delete(x, 3, 0)), expected, rtol=1e-6)
    far = np.stack([1e3 * probe.weights, -1e3 * probe.weights])
    assert probe.predict(far).tolist() == [wanted.max(), wanted.min()]
    few = NumberProbe.fit(x[:4], np.array([1.0, 3.0, np.nan, np.nan]))
    assert few.predict(x).tolist() == [2.0] * count
    assert np.isnan(NumberProbe.fit(x[:2], np.full(2, np.nan)).predict(x)).all()


def test_samples_of_another_number(real: Dataset, unseen: Dataset) -> None:
    right = card(unseen, real, heldout=unseen)["label_error/place"]
    assert right < 7
    asked = unseen.numbers["place"] + np.where(np.arange(150) % 2, 40, -40)
    off = replace(unseen, numbers={"place": asked.astype(np.float32)})
    assert card(off, real)["label_error/place"] == pytest.approx(40, abs=3)


def test_held_out_data_dealt_labels_and_half_samples(real: Dataset, unseen: Dataset) -> None:
    order = dealt_anew(150, 0.5, np.random.default_rng(0))
    mixed = replace(unseen, numbers={"place": unseen.numbers["place"][order]})
    result = card(mixed, real, heldout=unseen, corruptions=True)
    entry = result.entries["label_error/place"]
    assert entry.ceiling is not None
    assert entry.floor is not None
    assert entry.interval is not None
    assert entry.ceiling == card(unseen, real, heldout=unseen)["label_error/place"]
    assert entry.ceiling < 7
    # Of uniform numbers from 0 to 90, two are 30 apart in the mean.
    assert entry.floor == pytest.approx(30, abs=5)
    assert entry.interval[0] < entry.value < entry.interval[1]
    assert entry.axis == "conditioning/place"
    assert 0.3 < result.axes["conditioning/place"].score < 0.7
    worst = max(
        (level for level in result.corruption_levels if level.corruption == "wrong labels"),
        key=lambda level: level.strength,
    )
    assert entry.ceiling < worst.values["label_error/place"] < entry.floor + 5


def test_what_was_asked_for(real: Dataset, unseen: Dataset) -> None:
    some = unseen.numbers["place"].copy()
    some[:50] = np.nan
    found = card(replace(unseen, numbers={"place": some, "odd": some}), real, heldout=unseen)
    notes = "\n".join(found.notes)
    assert "label_error/place leaves out 50 samples that were asked for no place" in notes
    assert "the numbers 'odd' of the samples are not used: bars has none so" in notes
    none = card(replace(unseen, numbers={}), real)
    assert "left out, the samples were asked for no number: label_error" in none.notes
    without = card(make_data(40), make_data(80))
    assert "left out, the reference has no numbers, or one value of each: label_error" in (
        without.notes
    )
    alike = replace(real, numbers={"place": np.ones(300, dtype=np.float32)})
    assert not card(unseen, alike).entries
    usual = card(make_data(40), make_data(80), metrics=None)
    assert not any("label_error" in note for note in usual.notes)


def test_numbers_alone(real: Dataset, unseen: Dataset) -> None:
    found = card(unlabeled(unseen), unlabeled(real), heldout=unlabeled(unseen))
    assert found["label_error/place"] < 7
    samples = Evaluator(real, metrics="label_error", features="pixels", n=100)
    assert samples(unseen.samples, None, unseen.numbers)["label_error/place"] < 7


def test_a_judge_of_numbers(real: Dataset) -> None:
    space = PixelFeatures(256, torch.device("cpu"))
    (found,) = measure_numbers(space, real).values()
    assert found.passes()
    assert found.error < 8
    assert found.guess == pytest.approx(22.5, abs=4)  # of uniform numbers, from the middle
    blind = replace(real, samples=np.random.default_rng(0).permutation(real.samples))
    (unfit,) = measure_numbers(space, blind).values()
    assert not unfit.passes()
    judge = Judge.of(space, {}, 1000, {"place": unfit})
    assert judge.unfit == {"place"}
    assert "no score for conditioning at number place: the judge is too weak there" in (
        judge.sentences()
    )
    assert NumberFitness("x", 2.0, 0.1, 4.0, 9).sentence() == (
        "off by 2 in the number x of 9 held-out real images (guessing the middle 4)"
    )
    assert measure_numbers(space, make_data()) == {}


def test_a_run_is_judged_by_the_numbers_it_was_given(tmp_path) -> None:
    data = make_bars()
    parts = {"generator__conditioning": "concat"}
    for name, judged, told in (
        ("both", data, ["fine", "place"]),
        ("alone", unlabeled(data), ["place"]),
    ):
        recipe = small_recipe("gan", **parts, condition_on=told, training__steps=1)
        run = train(recipe, judged, tmp_path / name, quiet=True)
        found = evaluate_run(run, judged, metrics="label_error", features="pixels", n=40)
        assert found["label_error/place"] > 0, name
