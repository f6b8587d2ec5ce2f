"""A search for settings: trials as a study's runs, pruned, held to the axes, gone on with."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml

from mtgan.errors import UserError
from mtgan.recipes import load_recipe
from mtgan.reports.tuning import write_tuning_report
from mtgan.studies.execute import JobOutcome
from mtgan.studies.jobs import Job, read_result
from mtgan.studies.pruning import LEAST_FINISHED, PRUNED, Pruner, ceilings
from mtgan.studies.tuning import Tuning, TuningResult, TuningSpace, default_space, read_space, tune
from mtgan.studies.tuning.search import Search
from mtgan.studies.worker import run_job
from needed import need_package
from studies_toys import TINY

RATE, BETA, STEPS = "optimizer.learning_rate", "optimizer.beta1", "schedule.discriminator_steps"
SET = {**TINY["set"], "training.evaluate_features": "pixels"}
AXES = {RATE: {"log_uniform": [1e-5, 1e-1]}, BETA: [0.0, 0.5, 0.9]}
Planted = Callable[[Mapping[str, Any]], dict[str, float]]


class Killed(BaseException):
    """The process ends, and nothing after it is done."""


def tuning(axes: Mapping[str, Any] = AXES, **keys: Any) -> Tuning:
    evaluation = {"samples": 64, "features": "pixels", "metrics": "default"}
    given = {"data": {"name": "digits"}, "set": SET, "steps": 20, "evaluation": evaluation}
    space = TuningSpace.model_validate({"axes": axes})
    return Tuning.of("gan", space, **{**given, **keys})


def good(recipe: Mapping[str, Any]) -> dict[str, float]:
    """Best at a rate of 0.001; a beta1 of 0.9 collapses, and has the best number of all."""
    part = recipe["optimizer"]
    if part["beta1"] == 0.9:
        return {"overall": 5.0, "axis/modes": 0.01, "axis/fidelity": 1.0}
    apart = math.log10(part["learning_rate"]) + 3
    return {"overall": 1 - apart**2 / 4, "axis/modes": 0.6, "axis/fidelity": 0.5, "odd": 1.0}


class Maker:
    """An executor whose runs are numbers made up: those of the objective, and during training
    distances that fall to 1 - overall; fails, or is killed, when it is told to."""

    def __init__(self, planted: Planted = good, killed_at: int = -1) -> None:
        self.planted, self.killed_at = planted, killed_at
        self.made: list[Job] = []

    def __call__(self, folder: Path) -> "Maker":
        return self

    def run(self, jobs: Sequence[Job]) -> Iterator[JobOutcome]:
        for job in jobs:
            if len(self.made) == self.killed_at:
                raise Killed
            self.made.append(job)
            try:
                values = self.planted(job.recipe)
            except UserError as error:
                yield JobOutcome(job, str(error))
                continue
            self.write(job, values)
            yield JobOutcome(job)

    def write(self, job: Job, values: dict[str, float]) -> None:
        out = Path(job.out)
        out.mkdir(parents=True)
        pruner = Pruner({int(k): v for k, v in job.ceilings.items()}, {})
        with (out / "metrics.jsonl").open("w") as file:
            for step in (0, 4, 8, 12, 16, 20):
                told = {"frechet_distance": 1.0 - values["overall"] + 1.0 / (1 + step)}
                line = {"kind": "evaluation", "step": step, "seconds": 1.0, "values": told}
                file.write(json.dumps(line) + "\n")
                if pruner(step, told):
                    values = {PRUNED: step}
                    break
        result = {
            "evaluation": job.evaluation,
            "values": {
                k: {"value": v, "better": "" if k == "odd" else "higher"} for k, v in values.items()
            },
            "protocol": {},
            "iterations": 20,
            "seconds": 1.0,
            "fingerprint": "f",
        }
        (out / "result.json").write_text(json.dumps(result))


def go(out: Path, trials: int, maker: Maker, **keys: Any) -> TuningResult:
    return tune(tuning(**keys), out, trials, maker, fresh_seeds=4)


def test_the_best_is_found_and_a_collapse_never_wins(tmp_path: Path) -> None:
    maker = Maker()
    result = go(tmp_path / "out", 26, maker)
    assert result.winner is not None
    settings = result.settings(result.winner)
    assert abs(math.log10(settings[RATE]) + 3) < 0.3  # of four decades
    assert settings[BETA] != 0.9
    tried = [trial.settings[BETA] for trial in result.trials]
    assert 0.9 in tried  # and was told from the others by an axis alone
    collapsed = [o for o in result.outcomes.values() if o.value == 5.0]
    assert collapsed
    assert all(o.low == ["axis/modes"] and not o.feasible for o in collapsed)
    assert result.floors == {"axis/modes": 0.3, "axis/fidelity": 0.25}
    # The winner and the default, on seeds that no trial has seen.
    fresh = [job for job in maker.made if job.seed != 0]
    assert sorted(job.seed for job in fresh) == [1, 1, 2, 2, 3, 3, 4, 4]
    assert {job.recipe["optimizer"]["learning_rate"] for job in fresh} == {1e-4, settings[RATE]}
    assert all(not job.ceilings for job in fresh)
    winner = load_recipe(tmp_path / "out" / "winner.yaml")
    assert winner.optimizer.learning_rate == settings[RATE]
    assert next(iter(result.importances)) == BETA  # 5 or less than 1
    assert sum(result.importances.values()) == pytest.approx(1)

    page, text = write_tuning_report(result)
    assert f"The best is {result.winner}: overall" in text.read_text()
    assert "| overall |" in text.read_text().replace("*", "")
    assert "low: axis/modes" in page.read_text()
    assert "winner.yaml" in page.read_text()


def test_where_nothing_is_better_the_default_stays(tmp_path: Path) -> None:
    def flat(recipe: Mapping[str, Any]) -> dict[str, float]:
        usual = recipe["optimizer"]["learning_rate"] == 1e-4
        return {"overall": 0.5 if usual else 0.4, "axis/modes": 0.5}

    result = go(tmp_path / "out", 3, Maker(flat))
    assert (result.winner, result.comparison) == ("default", None)
    assert "No trial is better than the default" in write_tuning_report(result)[1].read_text()


def test_after_a_kill_no_trial_is_repeated_and_the_search_is_the_same(tmp_path: Path) -> None:
    whole = Maker()
    undisturbed = go(tmp_path / "whole", 8, whole)
    made: list[str] = []
    for killed_at in (0, 3, 1):
        maker = Maker(killed_at=killed_at)
        with pytest.raises(Killed):
            go(tmp_path / "killed", 8, maker)
        made += [job.id for job in maker.made]
    last = Maker()
    result = go(tmp_path / "killed", 8, last)
    made += [job.id for job in last.made]
    assert made == [job.id for job in whole.made]
    assert result.trials == undisturbed.trials
    assert result.outcomes == undisturbed.outcomes
    # More trials go on where it was; what came before is not made again.
    more = Maker()
    longer = go(tmp_path / "killed", 9, more)
    assert [*longer.trials][:8] == [*result.trials]
    assert len([job for job in more.made if job.seed == 0]) == 1


def test_several_side_by_side_are_proposed_at_once(tmp_path: Path) -> None:
    maker = Maker()
    result = tune(tuning(), tmp_path / "out", 6, maker, fresh_seeds=2, jobs=3)
    assert len(result.trials) == 6
    assert len({str(trial.settings) for trial in result.trials}) == 6


def test_the_median_rule_is_that_of_optuna(tmp_path: Path) -> None:
    """Trials that were pruned are those that its MedianPruner would have pruned by then."""
    result = go(tmp_path / "out", 16, Maker(), axes={RATE: AXES[RATE]})
    study = optuna.create_study()
    pruner = optuna.pruners.MedianPruner(LEAST_FINISHED, 0)
    found, wanted = [], []
    for name, outcome in result.outcomes.items():
        trial = study.ask()
        pruned = False
        for step, distance in (outcome.looks or {}).items():
            trial.report(distance, step)
            frozen = study.trials[trial.number]
            pruned = pruned or (0 < step < 20 and pruner.prune(study, frozen))
        state = "PRUNED" if pruned else "COMPLETE"
        study.tell(trial, None if pruned else 1.0, state=optuna.trial.TrialState[state])
        found.append((name, outcome.state))
        wanted.append((name, state.lower()))
    assert found == wanted
    assert {state for _, state in found} == {"complete", "pruned"}


def test_ceilings_are_medians_by_hand() -> None:
    finished = [{0: 9.0, 4: float(i), 8: 1.0} for i in range(4)]
    assert ceilings(finished, 8) == {}  # too few
    assert ceilings([*finished, {0: 9.0, 8: 1.0}], 8) == {4: 1.5}
    pruner = Pruner({4: 1.5}, {0: 9.0})
    assert [pruner(4, {"loss": 7.0}), pruner(2, {"frechet_distance": 1.4})] == [False, False]
    assert pruner(4, {"frechet_distance": 3.0}) is False  # its best so far is 1.4
    assert Pruner({4: 1.5}, {})(4, {"frechet_distance": 1.6}) is True


def test_a_training_above_a_ceiling_ends_there_unmeasured(tmp_path: Path) -> None:
    plan = tuning().plan("trials", {"default": {}}, [0], looks=True)
    [job] = plan.jobs(tmp_path, "cpu")
    run_job(Job(**{**vars(job), "ceilings": {"4": 0.0, "8": 0.0}}))
    result = read_result(job)
    assert result is not None
    assert result["values"] == {PRUNED: {"value": 4.0, "better": ""}}


def test_trials_that_fail_or_do_not_fit_are_told_and_stop_nothing(tmp_path: Path) -> None:
    def fails(recipe: Mapping[str, Any]) -> dict[str, float]:
        if recipe["optimizer"]["learning_rate"] > 1e-3:
            raise UserError("it diverged")
        return good(recipe)

    axes = {RATE: AXES[RATE], "penalty.kind": ["none", "gradient"]}
    result = go(tmp_path / "out", 10, Maker(fails), axes=axes, set={**SET,
                "discriminator.normalization": "batch"})  # fmt: skip
    errors = {str(o) for o in result.outcomes.values() if o.state == "failed"}
    assert "failed: it diverged" in errors
    assert any("batch" in text for text in errors)  # which a penalty does not go with
    assert len(result.outcomes) == 11
    again = go(tmp_path / "out", 10, Maker(fails), axes=axes, set={**SET,
               "discriminator.normalization": "batch"})  # fmt: skip
    told, before = ({name: o.state for name, o in one.outcomes.items()} for one in (again, result))
    assert told == before


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"axes": {"optimizer.learning_rat": [1.0]}}, "learning_rat.*did you mean"),
        ({"axes": {RATE: [-1.0, -2.0]}}, "learning_rate"),
        ({"measure": "overal"}, "No run has the measure 'overal': did you mean 'overall'"),
        ({"measure": "odd"}, "Which way odd is better is not known; say --better"),
    ],
)
def test_what_cannot_be_searched(tmp_path: Path, keys: dict, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        go(tmp_path / "out", 2, Maker(), **keys)


def test_a_folder_holds_one_tuning(tmp_path: Path) -> None:
    go(tmp_path / "out", 2, Maker())
    with pytest.raises(UserError, match=r"holds another tuning: axis_share .0\.5 then, 0\.1 now"):
        go(tmp_path / "out", 2, Maker(), axis_share=0.1)
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "mine.txt").write_text("x")
    with pytest.raises(UserError, match="is not a tuning's folder; name another with --out"):
        go(tmp_path / "else", 2, Maker())


def test_the_usual_space_is_around_the_recipe(tmp_path: Path) -> None:
    axes = default_space(load_recipe("ac-wgan-b", scale="full")).axes
    recipe = load_recipe("ac-wgan-b", scale="full")
    rate = recipe.optimizer.learning_rate
    assert axes[RATE].log_uniform == (rate / 4, rate * 4)
    assert axes["penalty.weight"].log_uniform == (2.5, 40.0)
    assert recipe.schedule.discriminator_steps in axes[STEPS].choice
    assert "tasks.0.weight" in axes
    for plain in ("labeled-images", "gan"):
        Tuning.of(plain, data={"name": "digits"}).check_space()
    file = tmp_path / "space.yaml"
    file.write_text(yaml.safe_dump({"axes": AXES}))
    assert read_space(file) == tuning().space
    file.write_text("axes: {a: {uniform: [2, 1]}}")
    with pytest.raises(UserError, match=r"The space .*rising; found 2 to 1"):
        read_space(file)


def test_settings_are_what_was_proposed(tmp_path: Path) -> None:
    space = TuningSpace.model_validate({"axes": {**AXES, "data.size": [None, [8, 8]]}})
    search = Search(tmp_path, space, "lower", 0)
    trial = search.propose()
    assert trial.settings[RATE] == float(f"{trial.settings[RATE]:.3g}")
    assert trial.settings["data.size"] in (None, [8, 8])
    assert Search(tmp_path, space, "lower", 0).waiting() == [trial]


def typed(folder: Path, *more: str) -> list[str]:
    """A real tuning of two trials, from the command line."""
    (folder / "space.yaml").write_text(yaml.safe_dump({"axes": AXES}))
    sets = [f"--set={key}={json.dumps(value)}" for key, value in SET.items()]
    return [
        *(sys.executable, "-m", "mtgan", "tune", "gan", "--data", "digits", "--trials", "2"),
        *("--space", "space.yaml", "--steps", "10", "--n", "64", "--features", "pixels"),
        *("--measure", "frechet_distance", "--metrics", "frechet_distance,precision_recall"),
        *("--fresh-seeds", "1", "--out", "out", *sets, *more),
    ]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_trials_on_the_nodes_of_a_cluster(tmp_path: Path) -> None:
    need_package("ray")
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 10**8}
    cluster = Cluster(True, head_node_args={**node, "include_dashboard": False})
    try:
        cluster.add_node(**node)
        line = typed(tmp_path, "--executor", "ray", "--address", cluster.address, "--jobs", "2")
        subprocess.run(line, cwd=tmp_path, check=True)
    finally:
        cluster.shutdown()
    trials = list((tmp_path / "out/trials/runs").glob("*/result.json"))
    assert len(trials) == 3  # the default, and two proposals
    values = [json.loads(path.read_text())["values"]["frechet_distance"] for path in trials]
    assert all(math.isfinite(value["value"]) for value in values)
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_from_the_command_line_killed_and_gone_on_with(tmp_path: Path) -> None:
    """A real one, with two trials; killed once one of them has its result."""
    line = typed(tmp_path)
    process = subprocess.Popen(line, cwd=tmp_path, env={**os.environ, "OMP_NUM_THREADS": "1"})
    results = lambda: {f: f.stat().st_mtime_ns for f in tmp_path.glob("out/*/runs/*/result.json")}  # noqa: E731
    deadline = time.monotonic() + 400
    while len(results()) < 2 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = results()
    assert before
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    after = results()
    assert {file: after[file] for file in before} == before
    assert "What was tried" in done.stdout
    assert (tmp_path / "out" / "report.html").exists()
