"""Studies of classifiers: trained, resumed, measured, found, and drawn."""

import json
from pathlib import Path
from typing import Any

import pytest

from classification.small import SMALL
from mtgan.classification import ClassifierRun, classify
from mtgan.errors import UserError
from mtgan.reports import write_study_report
from mtgan.studies.collect import StudyResult
from mtgan.studies.estimate import estimate
from mtgan.studies.plan import StudyPlan, make_plan
from mtgan.studies.schema import Study
from mtgan.studies.study import run_study
from studies.test_worker import Here

KEYS = {key: value for key, value in SMALL.items() if key != "sharing.layers"}


def plan(**keys: Any) -> StudyPlan:
    values = {
        "name": "toy",
        "kind": "classifier",
        "recipes": [
            {"name": "STL", "recipe": "stl"},
            {"name": "b=1", "recipe": "mtl-soft", "set": {"sharing.layers": 1}},
            {"name": "b=2", "recipe": "mtl-soft", "set": {"sharing.layers": 2}},
        ],
        "datasets": {"digits": {"name": "digits"}},
        "set": {**KEYS, "training.epochs": 2, "data.images": 60, "data.validation": 40},
        "measures": ["maximum_validation_accuracy", "test_cross_entropy"],
        "curves": ["main/accuracy", "distance"],
        "axis": "recipe",
        **keys,
    }
    return make_plan(Study.model_validate(values))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyPlan, StudyResult]:
    made = plan(seeds=2)
    out = tmp_path_factory.mktemp("study") / "out"
    return made, run_study(made, out, Here(), device="cpu")


def test_values_are_those_of_the_runs(finished: tuple[StudyPlan, StudyResult]) -> None:
    _, result = finished
    assert len(result.results) == 6
    for run, recorded in result.results.items():
        opened = ClassifierRun.open(result.path / "runs" / run)
        assert opened.result is not None
        values = {name: entry["value"] for name, entry in recorded["values"].items()}
        assert values["test_accuracy"] == opened.result["test_accuracy"]
        last = opened.epochs()[-1]["values"]["main/accuracy"]
        assert values["main/accuracy"] == pytest.approx(last)
        assert (recorded["iterations"], recorded["fingerprint"]) == (
            2,
            opened.recipe.run["data_fingerprint"],
        )
    better = [result.better(measure) for measure in result.study.measures]
    assert better == ["higher", "lower"]


def test_finished_runs_are_left_alone_and_measured_again_where_the_record_is_gone(
    finished: tuple[StudyPlan, StudyResult],
) -> None:
    made, result = finished
    nothing = Here()
    run_study(made, result.path, nothing, device="cpu")
    assert nothing.asked == []
    run = next(iter(result.results))
    record = result.path / "runs" / run / "measured.json"
    weights = next((record.parent / "checkpoints").glob("*/networks.safetensors"))
    before = record.read_text(), weights.stat().st_mtime_ns
    record.unlink()
    run_study(made, result.path, Here(), device="cpu")
    assert (record.read_text(), weights.stat().st_mtime_ns) == before


def test_the_page(finished: tuple[StudyPlan, StudyResult]) -> None:
    _, result = finished
    page, markdown, _ = (path.read_text() for path in write_study_report(result))
    for title in (
        "Main: accuracy.",
        "Distance.",
        "Maximum validation accuracy over b.",
        "Test cross entropy over b.",
    ):
        assert f"<strong>{title}</strong>" in page
    assert ">epochs</th>" in page
    assert "test values are of 359 test images" in page
    [row] = [line for line in markdown.splitlines() if line.startswith("| b=2 |") and "±" in line]
    values = list(result.values("b=2", "test_cross_entropy").values())
    assert f"{sum(values) / 2:.4g} ±" in row


def test_another_data_set_as_the_auxiliary_task(tmp_path: Path) -> None:
    other = {"recipe": "mtl-soft", "auxiliary_data": "fashion-mnist-10k"}
    keys = {**KEYS, "training.epochs": 1, "data.images": 40, "data.validation": 40}
    made = plan(
        recipes=["stl", {**other, "set": {"sharing.layers": 1, "auxiliary.images": 30}}],
        set=keys,
        curves=[],
        axis=None,
    )
    result = run_study(made, tmp_path / "out", Here(), device="cpu")
    [run] = result.runs_of("mtl-soft").values()
    opened = ClassifierRun.open(result.path / "runs" / run).result
    assert opened is not None
    assert opened["training_images"] == {"main": 40, "auxiliary": 30}


def test_runs_that_are_there_are_cells(
    finished: tuple[StudyPlan, StudyResult], tmp_path: Path
) -> None:
    _, result = finished
    runs = [str(result.path / "runs" / run) for run in result.runs_of("b=1").values()]
    made = plan(seeds=2, found=[{"name": "before", "runs": runs}])
    again = Here()
    for name in ("runs", "logs"):
        (tmp_path / name).mkdir()
    both = run_study(made, result.path, again, device="cpu")
    assert len(again.asked) == 2
    assert both.values("before", "test_cross_entropy") == both.values("b=1", "test_cross_entropy")
    unfinished = Path(runs[0]) / "result.json"
    kept = unfinished.read_text()
    unfinished.unlink()
    for record in result.path.glob("runs/before-*/measured.json"):
        record.unlink()
    with pytest.raises(UserError, match="is not finished; go on by mtgan classify --res"):
        run_study(made, result.path, Here(), device="cpu")
    unfinished.write_text(kept)


def test_the_estimate_times_a_few_batches(tmp_path: Path) -> None:
    found = estimate(plan(recipes=["stl"], axis=None), tmp_path, "cpu")
    assert (found.runs, found.timed) == (1, 1)
    assert 0 < found.seconds < 600
    assert not list(tmp_path.iterdir())


def test_what_is_timed_validates_as_small_a_share_as_it_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else an estimate is many times too long: of 1,438 digits, 288 are for validation, and four
    batches of 115 are two fifths of the others."""
    timed: list[dict[str, Any]] = []

    def keeping(*given: Any, **how: Any) -> ClassifierRun:
        run = classify(*given, **how)
        assert run.result is not None
        timed.append(run.result)
        return run

    monkeypatch.setattr("mtgan.studies.kinds.classifier.classify", keeping)
    estimate(
        plan(recipes=["stl"], axis=None, set={**KEYS, "training.batch_size": 115}), tmp_path, "cpu"
    )
    assert timed[0]["training_images"]["main"] == 460
    assert timed[0]["validation_images"] == 115


def test_a_sweep_of_an_earlier_version_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "sweep.yaml").write_text("name: old")
    with pytest.raises(UserError, match=r"holds a sweep .* table\.md .* another folder with --out"):
        run_study(plan(), tmp_path, Here())
    assert json.dumps([path.name for path in tmp_path.iterdir()]) == '["sweep.yaml"]'
