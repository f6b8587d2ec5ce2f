"""A run of a study: trained, measured, recorded; killed, gone on with; never repeated."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from filelock import FileLock

from mtgan.data import Dataset, Taxonomy, load_dataset
from mtgan.errors import UserError
from mtgan.recipes import load_recipe
from mtgan.reports.study import write_study_report
from mtgan.runs import reference_labels
from mtgan.studies.collect import StudyResult
from mtgan.studies.execute import JobOutcome
from mtgan.studies.jobs import read_result
from mtgan.studies.kinds.gan import logged_values
from mtgan.studies.plan import StudyPlan, make_plan
from mtgan.studies.schema import Study
from mtgan.studies.study import run_study
from mtgan.studies.worker import job_file, run_job
from mtgan.training import Run
from studies.conftest import finish
from studies_toys import TINY


class Here:
    """An executor in this process; one seed can be made to fail."""

    def __init__(self, failing: int | None = None) -> None:
        self.failing = failing
        self.asked: list[str] = []

    def run(self, jobs):
        for job in jobs:
            self.asked.append(job.id)
            if job.seed == self.failing:
                yield JobOutcome(job, "it diverged")
                continue
            run_job(job)
            yield JobOutcome(job)


def toy_plan(**keys: object) -> StudyPlan:
    return make_plan(Study.model_validate({**TINY, **keys}))


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[StudyPlan, Path, StudyResult, Here]:
    """Two conditional recipes, two seeds, one of which failed the first time."""
    out = tmp_path_factory.mktemp("study") / "out"
    plan = toy_plan(recipes=["ac-gan-a", "cgan-a"], seeds=2)
    first = run_study(plan, out, Here(failing=1), device="cpu")
    assert len(first.results) == 2
    assert set(first.failures.values()) == {"it diverged"}
    again = Here()
    return plan, out, run_study(plan, out, again, device="cpu"), again


def test_failed_runs_are_tried_again_and_finished_ones_are_not(finished) -> None:
    plan, out, result, again = finished
    assert [job.seed for job in plan.jobs(out) if job.id in again.asked] == [1, 1]
    assert (len(result.results), result.failures) == (4, {})
    nothing = Here()
    run_study(plan, out, nothing, device="cpu")
    assert nothing.asked == []


def test_more_seeds_keep_what_is_there(finished) -> None:
    plan, out, _, _ = finished
    more = Here()
    grown = make_plan(plan.study.model_copy(update={"seeds": [0, 1, 2]}))
    result = run_study(grown, out, more, device="cpu")
    assert len(more.asked) == 2
    assert len(result.results) == 6


def test_a_study_is_not_run_twice_at_once(finished) -> None:
    plan, out, _, _ = finished
    with (
        FileLock(out / ".lock"),
        pytest.raises(UserError, match="Another process is running the study"),
    ):
        run_study(plan, out, Here(), device="cpu")


def test_a_finished_run_is_left_alone(finished) -> None:
    plan, out, _, _ = finished
    job = plan.jobs(out, "cpu")[0]
    file = Path(job.out) / "result.json"
    before = file.stat().st_mtime_ns
    run_job(job)
    assert file.stat().st_mtime_ns == before


def test_measured_otherwise_it_is_not_trained_again(finished) -> None:
    plan, out, _, _ = finished
    study = plan.study.model_dump()
    study["evaluation"]["samples"] = 50
    job = make_plan(Study.model_validate(study)).jobs(out, "cpu")[0]
    lines = len(Run.open(job.out).metrics())
    before = json.loads((Path(job.out) / "result.json").read_text())
    run_job(job)
    after = read_result(job)
    assert after is not None
    assert after["values"]["frechet_distance"] != before["values"]["frechet_distance"]
    assert len(Run.open(job.out).metrics()) == lines
    (Path(job.out) / "result.json").write_text(json.dumps(before))


def test_what_is_recorded(finished) -> None:
    _, _, result, _ = finished
    recorded = next(iter(result.results.values()))
    assert recorded["iterations"] == 4
    assert recorded["values"]["frechet_distance"]["value"] > 0
    assert "generator/adversarial" in recorded["values"]
    assert recorded["protocol"]["features"] == "pixels"


def test_subsets_and_hierarchies_are_measured_by_one_instrument(tmp_path: Path) -> None:
    """Labels of a run under another hierarchy become those of the reference, by finest class."""
    hierarchy = [{"kind": "random", "name": "shuffled", "classes": 3}]
    plan = toy_plan(
        recipes=[{"recipe": "ac-gan-a", "set": {"hierarchy": hierarchy}}],
        datasets={"half": {"name": "digits", "subset": 0.5}},
    )
    [job] = plan.jobs(tmp_path, "cpu")
    run_job(job)
    run, whole = Run.open(job.out), load_dataset("digits")
    assert run.dataset_info.taxonomy.levels == ("fine", "shuffled")
    _, rows = run.sample_with_labels(20)
    assert rows is not None
    labels = reference_labels(rows, run, whole)
    assert np.array_equal(labels, whole.taxonomy.label_rows(rows[:, 0]))
    result = read_result(job)
    assert result is not None
    assert whole.fingerprint.startswith(result["protocol"]["data"])


def test_heads_are_judged_by_images_that_the_run_has_not_seen(tmp_path: Path) -> None:
    """At levels that the whole data have; all of their labels count, whatever the run was shown."""
    plan = toy_plan(
        recipes=[
            {"recipe": "ac-wgan-b", "set": {"hierarchy": [{"kind": "same", "name": "again"}]}}
        ],
        datasets={"few": {"name": "digits", "labeled": 0.05}},
        set={"tasks.1.labels": "again", "data.size": None, "training.batch_size": 8},
    )
    [job] = plan.jobs(tmp_path, "cpu")
    run_job(job)
    run, unseen = Run.open(job.out), load_dataset("digits", "test")
    result = read_result(job)
    assert result is not None
    found = {name: value for name, value in result["values"].items() if name.startswith("head_")}
    right = run.classify(unseen.samples)["fine"].argmax(1) == unseen.labels_of("fine")
    assert found == {"head_accuracy/fine": {"value": right.mean(), "better": "higher"}}


def test_a_head_on_superclasses_of_its_own_is_not_judged_by_others(tmp_path: Path) -> None:
    """They bear the name of the level that they replace."""
    plan = toy_plan(recipes=["ac-wgan-random-hierarchy"], set={"training.batch_size": 8})
    [job, *_] = plan.jobs(tmp_path, "cpu")
    run_job(job)
    assert Run.open(job.out).dataset_info.taxonomy.levels == ("fine", "coarse")
    result = read_result(job)
    assert result is not None
    found = [name for name in result["values"] if name.startswith("head_")]
    assert found == ["head_accuracy/fine"]


def test_labels_become_those_of_the_reference_by_name() -> None:
    whole = load_dataset("digits")
    names = whole.taxonomy.classes["fine"]
    shuffled = Taxonomy(("label",), {"label": names[::-1]}, {})
    run = SimpleNamespace(path="run", dataset_info=SimpleNamespace(taxonomy=shuffled))
    labels = reference_labels(np.array([[0], [9], [7], [-1]]), run, whole)  # type: ignore[arg-type]
    assert labels.tolist() == [*whole.taxonomy.label_rows(np.array([9, 0, 2, -1])).tolist()]
    # The finest level was not asked for, and an attribute lies beside.
    attributes = Taxonomy(
        ("fine", "coarse", "tone"),
        {**whole.taxonomy.classes, "tone": ("red", "blue")},
        whole.taxonomy.parents,
    )
    whole_too = Dataset(whole.samples, np.insert(whole.labels, 2, 1, axis=1), attributes)
    run = SimpleNamespace(path="run", dataset_info=SimpleNamespace(taxonomy=attributes))
    rows = np.array([[-1, 1, 0], [3, 1, -1]])
    assert reference_labels(rows, run, whole_too).tolist() == rows.tolist()  # type: ignore[arg-type]
    assert reference_labels(rows, run, whole).tolist() == [[-1, 1], [3, 1]]  # type: ignore[arg-type]
    bare = Dataset(whole.samples, whole.labels[:, :0], Taxonomy((), {}, {}))
    with pytest.raises(UserError, match="other finest classes"):
        reference_labels(np.zeros((3, 1), dtype=np.int64), run, bare)  # type: ignore[arg-type]


def test_other_finest_classes_cannot_be_measured(finished) -> None:
    plan, out, _, _ = finished
    run = Run.open(plan.jobs(out)[0].out)
    clothes = load_dataset("fashion-mnist-10k")
    with pytest.raises(UserError, match="other finest classes"):
        reference_labels(np.zeros((3, 2), dtype=np.int64), run, clothes)


def test_logged_values_are_of_the_last_tenth() -> None:
    recipe = load_recipe("mtl-wgan", {"training.steps": 20})
    lines = [
        {"kind": "train", "step": step, "values": {"generator/fine/loss": float(step)}}
        for step in range(1, 21)
    ]
    lines.append({"kind": "evaluation", "step": 20, "values": {"frechet_distance": 1.0}})
    values = logged_values(lines, recipe)
    assert values["generator/fine/loss"]["value"] == 19.5
    # The main twin's under the name that a single GAN has.
    assert values["generator/loss"]["value"] == 19.5
    assert "frechet_distance" not in values


def test_logged_values_count_by_the_iterations_that_they_cover() -> None:
    """Of 100 iterations the last ten: one from a line that began before, seven of a partial line
    where the run was stopped, two of the rest."""
    recipe = load_recipe("gan", {"training.steps": 100})
    values = {50: 9.0, 91: 1.0, 98: 2.0, 100: 4.0}
    lines = [{"kind": "train", "step": s, "values": {"x": v}} for s, v in values.items()]
    lines.insert(3, {"kind": "evaluation", "step": 98, "values": {"x": 100.0}})
    expected = (1 * 1.0 + 7 * 2.0 + 2 * 4.0) / 10
    assert logged_values(lines, recipe)["x"]["value"] == pytest.approx(expected)
    # A value that only some lines have counts by those.
    lines[-1]["values"] = {"y": 5.0}
    values = logged_values(lines, recipe)
    assert values["x"]["value"] == pytest.approx(15 / 8)
    assert values["y"]["value"] == 5.0


@pytest.mark.parametrize("left", [[], ["data.json"], ["data.json", "recipe.yaml"]])
def test_a_run_that_was_killed_when_it_was_begun_finishes(tmp_path: Path, left: list[str]) -> None:
    """Whatever of its beginning is there, empty or half: nothing of it is worth keeping."""
    [job] = toy_plan().jobs(tmp_path, "cpu")
    Path(job.out).mkdir(parents=True)
    for name in left:
        (Path(job.out) / name).write_text("")
    run_job(job)
    assert read_result(job) is not None


def test_two_workers_never_work_on_one_run(tmp_path: Path) -> None:
    """The second waits, and finds the run finished."""
    [job] = toy_plan().jobs(tmp_path, "cpu")
    out = Path(job.out)
    with FileLock(out.with_name(f".{out.name}") / ".lock"):
        waiting = threading.Thread(target=run_job, args=(job,))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        assert not out.exists()
        finish(out, toy_plan().study, {"frechet_distance": 1.5})
    waiting.join(60)
    result = read_result(job)
    assert result is not None
    assert result["values"]["frechet_distance"]["value"] == 1.5
    assert [path.name for path in out.iterdir()] == ["result.json"]


# Curves


def test_an_unknown_curve_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    here = Here()
    with pytest.raises(UserError, match="'generator/los', and no run logs it: did you mean 'gener"):
        run_study(toy_plan(curves=["generator/los"]), tmp_path / "out", here, device="cpu")
    assert here.asked == []


def test_a_cell_that_cannot_be_trained_leaves_the_others_their_curves(tmp_path: Path) -> None:
    broken = {"name": "broken", "recipe": "gan", "set": {"training.batch_size": 64}}
    few = {"few": {"name": "digits", "subset": 40}}
    plan = toy_plan(recipes=[broken, "gan"], datasets=few, curves=["generator/loss"])

    class Failing(Here):
        def run(self, jobs):
            for job in jobs:
                try:
                    yield from super().run([job])
                except UserError as error:
                    yield JobOutcome(job, str(error), users=True)

    result = run_study(plan, tmp_path / "out", Failing(), device="cpu")
    assert "Generator: loss." in write_study_report(result)[0].read_text()
    assert "fewer than one batch" in next(iter(result.failures.values()))


def test_a_killed_run_is_gone_on_with(tmp_path: Path) -> None:
    """SIGKILL in the middle; the worker run again goes on from the last checkpoint."""
    changed = {**TINY["set"], "training.log_every": 1, "training.checkpoint_every": 5}
    plan = toy_plan(set=changed, budget={"steps": 60})
    [job] = plan.jobs(tmp_path / "killed", "cpu")
    file = tmp_path / "job.json"
    file.write_text(job_file(job))
    command = [sys.executable, "-m", "mtgan.studies.worker", str(file)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment)
    log, deadline = Path(job.out) / "metrics.jsonl", time.time() + 200
    while time.time() < deadline and process.poll() is None:
        if log.is_file() and len(log.read_text().splitlines()) >= 12:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert read_result(job) is None
    assert 10 <= Run.open(job.out).steps[-1] < 60
    kept = Run.open(job.out).steps[-1]
    seconds = Run.open(job.out).metrics()[kept - 1]["seconds"]
    assert subprocess.run(command, env=environment).returncode == 0
    assert read_result(job) is not None
    lines = [line for line in Run.open(job.out).metrics() if line["kind"] == "train"]
    assert [line["step"] for line in lines] == list(range(1, 61))
    assert lines[kept - 1]["seconds"] == seconds  # what was done before was not done again
