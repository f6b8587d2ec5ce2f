"""Trainings that are measured on their way, of GANs and of anybody's scripts."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from mtgan.errors import UserError
from mtgan.reports.study import write_study_report
from mtgan.studies import gan_marks, yardstick
from mtgan.studies.collect import StudyResult, table
from mtgan.studies.jobs import read_results
from mtgan.studies.marks import Pace
from mtgan.studies.measure import reference_of
from mtgan.studies.measures import EvaluationPart
from mtgan.studies.plan import StudyPlan, make_plan
from mtgan.studies.schema import Study
from mtgan.studies.study import run_study
from mtgan.studies.thresholds import first_reached, times_to_thresholds
from mtgan.studies.worker import job_file, run_job
from mtgan.training import Run
from studies.test_worker import Here
from studies_toys import TINY

FALLING = {"recipe": "gan", "name": "falling", "set": {"optimizer.decay": "linear"}}
SCRIPT = """
import json, sys, time
import numpy as np
options, key = {}, ""
for word in sys.argv[1:]:
    if word.startswith("--"):
        key = word[2:]
        options[key] = []
    else:
        options[key].append(word)
[out], [seed] = options["out"], options["seed"]
if options.get("fail"):
    sys.exit("the script has " + options["fail"][0])
if options.get("wait"):
    print(" ".join(sys.argv), flush=True)
    time.sleep(600)
from pathlib import Path
Path(out).mkdir()
random, marks = np.random.default_rng(int(seed)), {}
for mark in options["iterations" if "iterations" in options else "seconds"]:
    images = random.integers(0, 256, (64, 8, 8, 1), dtype=np.uint8)
    labels = {"labels": np.arange(64)[:, None] % 10, "level_names": np.array(["fine"])}
    np.savez(f"{out}/{mark}.npz", images=images, **labels)
    marks[mark] = {"iterations": 7, "seconds": 2 * float(mark)}
if options.get("skip"):
    del marks[options["skip"][0]]
Path(out, "marks.json").write_text(json.dumps(marks))
"""


def plan(**keys: object) -> StudyPlan:
    return make_plan(Study.model_validate({**TINY, **keys}))


@pytest.fixture
def script(tmp_path: Path) -> dict[str, object]:
    """A recipe that is a script."""
    (tmp_path / "script.py").write_text(SCRIPT)
    return {"name": "theirs", "kind": "script", "recipe": f"python {tmp_path / 'script.py'}"}


# Cells


def test_a_cell_for_each_mark_of_one_training() -> None:
    made = plan(marks={"iterations": [2, 4]}, seeds=2)
    assert [cell.label for cell in made.cells] == ["gan / 2 iterations", "gan / 4 iterations"]
    jobs = made.jobs(Path("out"))
    assert [job.marks for job in jobs] == [[2, 4]] * 2
    first, last = made.cells
    assert first.run_id(0) == last.run_id(0)
    assert first.result(0) != last.result(0)
    more = plan(marks={"iterations": [1, 2, 4, 8]}).cells
    assert {cell.run_id(0) for cell in more} == {first.run_id(0)}


def test_where_rates_fall_each_mark_has_a_training_of_its_own() -> None:
    made = plan(recipes=[FALLING], marks={"seconds": [15, 30.0]})
    assert [job.marks for job in made.jobs(Path("out"))] == [[15], [30]]
    assert len({cell.run_id(0) for cell in made.cells}) == 2
    [alone] = plan(recipes=[FALLING], marks={"seconds": [30]}).cells
    assert alone.run_id(0) == made.cells[1].run_id(0)
    [apart, *_] = plan(
        recipes=[{"recipe": "gan", "run_per_mark": True}], marks={"iterations": [2, 4]}
    ).cells
    assert apart.trained_to is not None
    assert apart.trained_to.at == [2]


def test_comparisons_are_at_the_same_mark() -> None:
    made = plan(recipes=["gan", FALLING], marks={"iterations": [2, 4]})
    assert [(first.label, second.label) for first, second in made.pairs] == [
        ("falling / 2 iterations", "gan / 2 iterations"),
        ("falling / 4 iterations", "gan / 4 iterations"),
    ]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"marks": {}}, "of seconds or of iterations, one of them"),
        ({"marks": {"seconds": [3], "iterations": [3]}}, "one of them"),
        ({"marks": {"iterations": [4, 2]}}, "marks should rise; found 4, 2"),
        ({"evaluation": {"half": "tuning"}}, "add split: test"),
        ({"recipes": [{"recipe": "x", "kind": "scrip"}]}, "did you mean 'script'"),
    ],
)
def test_what_is_wrong_is_said(keys: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Study.model_validate({**TINY, **keys})


def test_classifiers_have_no_marks() -> None:
    keys = {key: TINY[key] for key in ("name", "datasets")}
    study = {**keys, "kind": "classifier", "recipes": ["baseline"], "marks": {"seconds": [3]}}
    with pytest.raises(UserError, match="marks are for GANs and scripts"):
        make_plan(Study.model_validate(study))


# Instruments


def test_halves_of_the_held_out_images_are_disjoint_and_the_same() -> None:
    [cell] = plan().cells
    whole = reference_of(cell.data, "test").samples
    tuning, reporting = (
        reference_of(cell.data, "test", half).samples for half in ("tuning", "reporting")
    )
    np.testing.assert_array_equal(tuning, whole[::2])
    np.testing.assert_array_equal(reporting, whole[1::2])


def test_instruments_beside_have_names_of_their_own(tmp_path: Path) -> None:
    beside = {"unseen": {"split": "test", "half": "tuning", "features": "pixels"}}
    evaluation = {**TINY["evaluation"], "beside": beside}
    [job] = plan(evaluation=evaluation).jobs(tmp_path, "cpu")
    run_job(job)
    [result] = read_results(job) or []
    names = ("frechet_distance", "unseen/frechet_distance")
    main, unseen = (result["values"][name]["value"] for name in names)
    assert main != unseen > 0
    assert EvaluationPart().model_dump().keys() == {  # as runs of before have it
        *("samples", "split", "features", "metrics", "seed")
    }


# GANs


@pytest.fixture(scope="module")
def reached(tmp_path_factory) -> tuple[StudyPlan, Path]:
    out = tmp_path_factory.mktemp("marks") / "out"
    made = plan(
        recipes=["gan", FALLING],
        marks={"iterations": [2, 4]},
        measures=["frechet_distance", "iterations"],
        curves=["generator/loss"],
        curves_over="seconds",
    )
    run_study(made, out, Here(), device="cpu")
    return made, out


def test_marks_of_iterations(reached) -> None:
    _, out = reached
    result = StudyResult.open(out)
    found = [result.values(label, "iterations") for label in result.labels]
    assert found == [{0: 2.0}, {0: 4.0}] * 2
    once, again = (result.values(label, "frechet_distance")[0] for label in result.labels[:2])
    assert once != again
    frame = table(result)
    assert frame["mark"].unique().tolist() == [2, 4]
    assert len(list((out / "runs").glob("gan-*"))) == 3
    [run] = {name.partition("@")[0] for name in result.runs_of("gan / 4 iterations").values()}
    assert Run.open(out / "runs" / run).steps[-1] == 4


def test_measures_are_drawn_over_marks(reached) -> None:
    _, out = reached
    page = write_study_report(StudyResult.open(out))[0].read_text()
    assert "Frechet distance over iterations" in page
    assert page.count("<strong>Generator: loss.") == 1


def test_later_marks_go_on_with_what_is_there(reached) -> None:
    _, out = reached
    more = plan(recipes=["gan"], marks={"iterations": [2, 4, 6]})
    [job] = more.jobs(out, "cpu")
    before = len(Run.open(job.out).metrics())
    run_job(job)
    assert len(Run.open(job.out).metrics()) == before + 2
    results = read_results(job)
    assert results is not None
    assert [result["iterations"] for result in results] == [2, 4, 6]


def test_marks_of_seconds_become_iterations_by_the_pace(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(gan_marks, "_BEFORE", 0.25)
    monkeypatch.setattr(gan_marks, "_timed_pace", lambda *_: Pace(0.25, 0.5))
    monkeypatch.setattr("mtgan.studies.marks.yardstick_seconds", lambda: 2 * 3.9)
    [job] = plan(recipes=[FALLING], marks={"seconds": [1.0]}).jobs(tmp_path, "cpu")
    run_job(job)
    [result] = read_results(job) or []
    values = {name: entry["value"] for name, entry in result["values"].items()}
    assert values["iterations"] == 3  # of 0.5 s in the 2 s here, but for 0.5 s before
    assert values["cpu_seconds"] > 0.25
    assert values["scaled_seconds"] == pytest.approx(values["cpu_seconds"] / 2)


def test_the_pace_is_of_a_training_that_is_thrown_away(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(gan_marks, "_TIMED_SECONDS", 0.01)
    [cell] = plan().cells
    data = reference_of(cell.data, "train")
    pace = gan_marks._timed_pace(cell.recipe, data, "cpu")
    assert 0 < pace.iteration < 5
    assert pace.setup >= 0
    assert Pace(1.0, 0.5).iterations(3.2) == 4
    assert Pace(1.0, 0.5).iterations(0.0) == 1


def test_the_yardstick_leaves_threads_and_random_state_alone(monkeypatch) -> None:
    monkeypatch.setattr(yardstick, "ITERATIONS", 1)
    monkeypatch.setattr(yardstick, "WARMING", 0)
    monkeypatch.setattr(yardstick, "_STEPS", 1)
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    assert yardstick.yardstick_seconds() > 0
    assert torch.equal(state, torch.random.get_rng_state())
    assert torch.get_num_threads() == threads


# Scripts


def test_a_script_is_measured_as_runs_are(tmp_path: Path, script) -> None:
    made = plan(recipes=[script, "gan"], marks={"iterations": [1, 2]}, seeds=2)
    result = run_study(made, tmp_path / "out", Here(), device="cpu")
    for label in result.labels:
        values = result.values(label, "frechet_distance")
        assert len(values) == 2, label
        assert values[0] != values[1]
    assert result.values("theirs / 2 iterations", "cpu_seconds") == {0: 4.0, 1: 4.0}
    again = Here()
    run_study(made, tmp_path / "out", again, device="cpu")
    assert again.asked == []


@pytest.mark.parametrize(
    ("options", "trainings"), [({}, 1), ({"decay": "none"}, 1), ({"decay": "linear"}, 2)]
)
def test_a_script_whose_rate_falls_is_called_for_each_mark(
    tmp_path: Path, script, options, trainings: int
) -> None:
    made = plan(recipes=[{**script, "set": options}], marks={"iterations": [1, 2]})
    assert len(made.jobs(tmp_path)) == trainings


def test_a_script_is_told_of_seconds_on_this_machine(tmp_path: Path, script, monkeypatch) -> None:
    monkeypatch.setattr("mtgan.studies.marks.yardstick_seconds", lambda: 3.9 / 2)
    [job] = plan(recipes=[script], marks={"seconds": [15, 30]}).jobs(tmp_path, "cpu")
    run_job(job)
    results = read_results(job) or []
    assert [result["values"]["cpu_seconds"]["value"] for result in results] == [15.0, 30.0]
    assert [result["values"]["scaled_seconds"]["value"] for result in results] == [30.0, 60.0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fail": "no memory"}, "The script theirs ended with 1: the script has no memory"),
        ({"skip": 2}, "says nothing of the mark 2 in marks.json"),
    ],
)
def test_a_script_that_fails_is_one_sentence(tmp_path: Path, script, options, said) -> None:
    made = plan(recipes=[{**script, "set": options}], marks={"iterations": [1, 2]})
    [job] = made.jobs(tmp_path, "cpu")
    with pytest.raises(UserError, match=said):
        run_job(job)
    assert read_results(job) is None


def test_a_script_that_leaves_nothing_is_one_sentence(tmp_path: Path, script) -> None:
    for command, said in (
        (f"{sys.executable} -c pass", "has left no marks.json"),
        ("no-such-program", "no-such-program cannot be run"),
    ):
        [job] = plan(recipes=[{**script, "recipe": command}], marks={"iterations": [1]}).jobs(
            tmp_path, "cpu"
        )
        with pytest.raises(UserError, match=said):
            run_job(job)


def test_what_a_script_cannot_be_told_is_refused(script) -> None:
    with pytest.raises(UserError, match="add marks"):
        plan(recipes=[script])
    half = {"half": {"name": "digits", "subset": 0.5}}
    with pytest.raises(UserError, match="subset of digits would be lost on theirs"):
        plan(recipes=[script], datasets=half, marks={"iterations": [1]})
    with pytest.raises(UserError, match="is no command line"):
        plan(recipes=[{**script, "recipe": "echo 'a"}], marks={"iterations": [1]})


def test_a_script_ends_with_its_worker(tmp_path: Path, script) -> None:
    waiting = {**script, "set": {"wait": True}}
    [job] = plan(recipes=[waiting], marks={"iterations": [1]}).jobs(tmp_path, "cpu")
    (tmp_path / "job.json").write_text(job_file(job))
    command = [sys.executable, "-m", "mtgan.studies.worker", str(tmp_path / "job.json")]
    worker = subprocess.Popen(command)
    place = Path("/proc") / str(worker.pid) / "task" / str(worker.pid) / "children"
    if not place.exists():
        pytest.skip("children are listed under Linux alone")
    deadline = time.time() + 120
    while not (children := place.read_text().split()) and time.time() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)  # until it is begun
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) != 0
    assert not Path("/proc", children[0]).exists()
    assert json.loads(job_file(job))["marks"] == [1.0]


# Thresholds


@pytest.mark.parametrize(
    ("points", "threshold", "lower", "time"),
    [
        ([(10, 4.0), (100, 2.0)], 3.0, True, 10**1.5),
        ([(100, 2.0), (10, 4.0)], 2.0, True, 100.0),
        ([(10, 4.0), (100, 2.0)], 5.0, True, 10.0),
        ([(10, 4.0), (100, 2.0)], 1.0, True, float("inf")),
        ([(10, 0.2), (20, 0.1), (80, 0.9)], 0.5, False, 40.0),
        ([], 1.0, True, float("inf")),
    ],
)
def test_a_threshold_is_reached_between_marks(points, threshold, lower, time) -> None:
    assert first_reached(points, threshold, lower) == pytest.approx(time)


def test_times_of_seeds_that_never_come_so_far(fake) -> None:
    """Three of five seeds reach 1 at the second mark: the median is known, its upper end is not."""
    marked = {"marks": {"iterations": [10, 100]}, "thresholds": {"frechet_distance": [1.0, 0.1]}}
    result = fake({"a": {"frechet_distance": [1.0] * 3 + [2.0] * 2}}, **marked)
    assert result.labels == ["a / 10 iterations", "a / 100 iterations"]
    for path in (result.path / "runs").glob("*/result-10.json"):
        record = json.loads(path.read_text())
        record["values"]["frechet_distance"]["value"] += 1
        path.write_text(json.dumps(record))
    result = StudyResult.open(result.path)
    near, far = times_to_thresholds(result)
    assert (near.label, near.median, near.reached, near.seeds) == ("a", 100.0, 3, 5)
    assert near.interval == (100.0, float("inf"))
    assert (far.median, far.reached) == (float("inf"), 0)
    page = write_study_report(result)[1].read_text()
    assert "| a | 100 [100, over 100] (3 of 5) | over 100 [over 100, over 100] |" in page
    statistics = json.loads((result.path / "statistics.json").read_text())
    assert statistics["times"][0]["interval"] == [100.0, None]


def test_thresholds_of_what_is_no_measure_are_refused() -> None:
    for keys, said in (
        ({"thresholds": {"frechet_distanse": [1.0]}}, "did you mean 'frechet_distance'"),
        ({"thresholds": {"frechet_distance": [1.0]}}, "among marks; add marks"),
    ):
        with pytest.raises(ValueError, match=said):
            Study.model_validate({**TINY, **keys})
