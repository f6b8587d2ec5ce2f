"""Curves over training: means and smoothing by hand, what x is, files, and what is not drawn."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from mtgan.errors import UserError
from mtgan.files import dump_yaml
from mtgan.recipes import dump_recipe, load_recipe
from mtgan.reports.study import write_study_report
from mtgan.studies.collect import StudyResult
from mtgan.studies.curves import Line, curve_sets, moving_average, write_curves
from mtgan.studies.load import load_study
from mtgan.studies.plan import make_plan
from mtgan.studies.schema import Study
from studies.conftest import fake_study
from toys import SMALL

GAN: dict[str, Any] = {"recipes": ["gan"], "datasets": {"digits": {"name": "digits"}}}
VALUES = {name: {"frechet_distance": [3.0, 4.0]} for name in ("a", "b")}


def write_log(folder: Path, points: Sequence[tuple], name: str, kind: str = "train") -> None:
    """points: (step, seconds, value)."""
    lines = [
        {"kind": kind, "step": step, "seconds": seconds, "values": {name: value}}
        for step, seconds, value in points
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def logged(out: Path, points: Mapping[str, Sequence[Sequence[tuple]]], **keys: Any) -> StudyResult:
    """A study of two seeds, whose cells have logged generator/loss at these points, by seed."""
    result = fake_study(out, VALUES, **{"curves": ["generator/loss"], **keys})
    for label, of_seeds in points.items():
        for seed, run in result.runs_of(label).items():
            write_log(out / "runs" / run, of_seeds[seed], "generator/loss")
    return StudyResult.open(out)


def test_a_moving_average_by_hand() -> None:
    values = np.array([1.0, 2.0, 6.0, math.nan, 8.0])
    assert moving_average(values, 1)[[0, 1, 2, 4]].tolist() == [1, 2, 6, 8]
    assert moving_average(values, 3).tolist() == [1.5, 3, 4, 7, 8]
    assert moving_average(values, 2).tolist() == [1.5, 4, 6, 8, 8]  # this one and the next
    assert moving_average(values, 99).tolist() == [4.25] * 5
    assert np.isnan(moving_average(np.array([math.nan, 1.0]), 1)).tolist() == [True, False]


def test_the_band_is_students_interval_over_seeds() -> None:
    line = Line.of({0: {10: 1.0, 5: 2.0}, 1: {5: 4.0, 10: 1.5}, 2: {5: 9.0}})
    assert line.x.tolist() == [5, 10]
    assert line.mean.tolist() == [5.0, 1.25]
    low, high = stats.t.interval(0.95, 2, loc=5.0, scale=stats.sem([2, 4, 9]))
    assert line.half_width[0] == pytest.approx((high - low) / 2)
    assert np.isnan(Line.of({0: {5: 1.0}}).half_width).all()


def test_steps_are_averaged_over_seeds(tmp_path: Path) -> None:
    a = [[(5, 1.0, 1.0), (10, 2.0, 3.0)], [(5, 3.0, 2.0), (10, 6.0, 5.0)]]
    result = logged(tmp_path / "s", {"a": a, "b": a})
    [curve], notes = curve_sets(result)
    assert (curve.over, notes) == ("iterations", [])
    assert curve.lines["a"].x.tolist() == [5, 10]
    assert curve.lines["a"].mean.tolist() == [1.5, 4.0]


def test_over_seconds_a_point_is_a_step_at_the_mean_of_its_seconds(tmp_path: Path) -> None:
    """The last step of the longer run stands for the faster one alone: it would lie too early."""
    a = [[(5, 10.0, 1.0), (10, 20.0, 3.0)], [(5, 2.0, 2.0), (10, 4.0, 5.0), (15, 6.0, 0.0)]]
    curves = [{"name": "generator/loss", "over": "seconds"}]
    [curve], _ = curve_sets(logged(tmp_path / "s", {"a": a, "b": a}, curves=curves))
    assert curve.over == "seconds"
    assert curve.lines["a"].x.tolist() == [6.0, 12.0]
    assert curve.lines["a"].mean.tolist() == [1.5, 4.0]


def test_epochs_count_real_samples_that_the_discriminator_saw(tmp_path: Path) -> None:
    """5 discriminator updates of 8 samples an iteration, on 160 samples: a quarter of an epoch."""
    points = [[(2, 1.0, 1.0), (4, 2.0, 3.0)]] * 2
    result = logged(tmp_path / "s", {"a": points, "b": points}, curves_over="epochs")
    steps = {"schedule.discriminator_steps": 5}
    recipe = load_recipe("wgan-gp", SMALL | steps).model_copy(update={"run": {"samples": 160}})
    for run in result.runs_of("a").values():
        (result.path / "runs" / run / "recipe.yaml").write_text(dump_recipe(recipe))
    [curve], notes = curve_sets(StudyResult.open(result.path))
    assert curve.over == "epochs"
    assert curve.lines["a"].x.tolist() == [0.5, 1.0]
    assert notes == ["The curve of generator: loss is without b: no run there has logged it."]


def test_twins_are_drawn_under_the_names_of_a_single_gan(tmp_path: Path) -> None:
    """As a curve of a study of twins and single GANs needs it."""
    result = fake_study(tmp_path / "s", VALUES, curves=["generator/adversarial"])
    names = {"a": "generator/adversarial", "b": "generator/fine/adversarial"}
    for label, name in names.items():
        for run in result.runs_of(label).values():
            write_log(result.path / "runs" / run, [(5, 1.0, 7.0)], name)
    with pytest.warns(match="slope does not depend"):
        twins = load_recipe("mtl-wgan", {"generator.width": 8})
    for run in result.runs_of("b").values():
        (result.path / "runs" / run / "recipe.yaml").write_text(dump_recipe(twins))
    with pytest.warns(match="slope does not depend"):
        [curve], notes = curve_sets(StudyResult.open(result.path))
    assert list(curve.lines) == ["a", "b"]
    assert curve.lines["b"].mean.tolist() == [7.0]
    assert notes == []


def test_a_run_that_failed_is_drawn_as_far_as_it_came(tmp_path: Path) -> None:
    whole, short = [(5, 1.0, 1.0), (10, 2.0, 3.0)], [(5, 3.0, 2.0)]
    result = logged(tmp_path / "s", {"a": [whole, whole], "b": [whole, short]})
    (result.path / "runs" / result.runs_of("b")[1] / "result.json").unlink()
    result = StudyResult.open(result.path)
    [curve], _ = curve_sets(result)
    assert curve.unfinished == {"b": 1}
    assert curve.lines["b"].mean.tolist() == [1.5, 3.0]
    page = write_study_report(result)[0].read_text()
    assert "Also of runs that have not finished, or failed: b (1)." in page


def test_files_hold_what_is_drawn(tmp_path: Path) -> None:
    points = [[(5, 1.0, 1.0), (10, 2.0, 3.0)], [(5, 1.0, 2.0), (10, 2.0, 6.0)]]
    curves = [{"name": "generator/loss", "smooth": 2}]
    result = logged(tmp_path / "s", {"a": points, "b": points}, curves=curves)
    write_curves(result, curve_sets(result)[0])
    rows = list(csv.DictReader((result.path / "curves.csv").open()))
    assert len(rows) == 8
    words = "fake,full,a,generator/loss,iterations,1,RUN,5,2,4"
    assert ",".join({**rows[2], "run": "RUN"}.values()) == words
    assert rows[2]["run"] == result.runs_of("a")[1]
    [kept] = json.loads((result.path / "curves.json").read_text())["curves"]
    a = kept["cells"]["a"]
    assert a["runs"] == {"0": [1, 3], "1": [2, 6]}
    assert (a["mean"], a["smoothed"]) == ([1.5, 4.5], [3.0, 4.5])
    half = stats.t.ppf(0.975, 1) * stats.sem([3, 6])
    assert a["high"][1] - 4.5 == pytest.approx(half)


def test_measures_over_marks_are_curves_as_well(tmp_path: Path) -> None:
    result = fake_study(tmp_path / "s", VALUES, marks={"iterations": [2, 4]})
    [curve], _ = curve_sets(result)
    assert (curve.name, curve.over, curve.at_marks) == ("frechet_distance", "iterations", True)
    assert curve.lines["a"].x.tolist() == [2, 4]
    assert curve.lines["a"].runs[1].tolist() == [4.0, 4.0]
    write_study_report(result)
    assert "fake,full,b,frechet_distance,iterations,1,,4,4,4" in (
        (result.path / "curves.csv").read_text()
    )


def test_curves_are_pngs_beside_the_markdown_page(tmp_path: Path) -> None:
    points = [[(5, 1.0, 1.0), (10, 2.0, 3.0)]] * 2
    curves = ["generator/loss", {"name": "generator/loss", "over": "seconds", "smooth": 3}]
    result = logged(tmp_path / "s", {"a": points, "b": points}, curves=curves)
    _, markdown, _ = write_study_report(result)
    text = markdown.read_text()
    for name in ("generator-loss-over-iterations", "generator-loss-over-seconds"):
        assert f"![Generator: loss](report/curves/{name}.png)" in text
        with Image.open(result.path / "report" / "curves" / f"{name}.png") as picture:
            assert picture.width > 500
    assert "Moving average over 3 points of each run" in text
    foreign = tmp_path / "mine" / "curves" / "generator-loss-over-seconds.png"
    foreign.parent.mkdir(parents=True)
    Image.new("L", (8, 8)).save(foreign)
    with pytest.raises(UserError, match="mtgan did not write it"):
        write_study_report(result, tmp_path / "mine.md")


def test_a_classifier_has_no_curves_over_iterations() -> None:
    study = {**GAN, "kind": "classifier", "recipes": ["stl"], "curves_over": "iterations"}
    with pytest.raises(UserError, match=r"over iterations, and .* drawn over epochs or seconds"):
        make_plan(Study.model_validate({**study, "curves": ["main/accuracy"]}))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"over": "minutes"}, "curves.0.over should be iterations, epochs or seconds"),
        ({"smooth": 0}, "curves.0.smooth should be a whole number from 1"),
        ({"smoth": 2}, "did you mean 'smooth'"),
    ],
)
def test_what_no_curve_can_be_is_said_at_once(tmp_path: Path, keys: dict, message: str) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(dump_yaml({**GAN, "curves": [{"name": "generator/loss", **keys}]}))
    with pytest.raises(UserError) as error:
        load_study(file)
    assert message in str(error.value)
