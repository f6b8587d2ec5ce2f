"""Interrupted equals undisturbed, in the logged numbers too."""

import json
import shutil
import signal
from pathlib import Path

import pytest
import torch

from mtgan.training import Interrupted, Run, train
from mtgan.training.checkpoints import list_checkpoints, load_checkpoint
from mtgan.training.trainer import Trainer
from toys import make_data, small_recipe

SETTINGS: dict[str, object] = {
    "training__steps": 9,
    "training__log_every": 4,
    "training__checkpoint_every": 5,
    "training__sample_every": 100,
}


def go(out: Path, resume: bool = False, name: str = "ac-wgan-b", **overrides: object) -> Run:
    recipe = small_recipe(name, **{**SETTINGS, **overrides})
    return train(recipe, make_data(), out, resume=resume, quiet=True)


def lines(run: Run) -> list[dict[str, object]]:
    """What was logged, without what no two runs share."""
    return [
        {key: value for key, value in line.items() if key not in {"seconds", "steps_per_second"}}
        for line in run.metrics()
    ]


def assert_same(a: Run, b: Run) -> None:
    assert lines(a) == lines(b)
    parts = [load_checkpoint(list_checkpoints(r.path / "checkpoints")[-1][1])[:2] for r in (a, b)]
    for first, second in zip(*parts, strict=True):
        assert first.keys() == second.keys()
        assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Run:
    return go(tmp_path_factory.mktemp("whole") / "run")


def stop_after(monkeypatch, iterations: int, number: int) -> None:
    real = Trainer.run_iteration

    def iterate(trainer: Trainer) -> None:
        real(trainer)
        if trainer.iteration == iterations:
            signal.raise_signal(number)

    monkeypatch.setattr(Trainer, "run_iteration", iterate)


@pytest.mark.parametrize(
    ("iterations", "number"), [(3, signal.SIGINT), (6, signal.SIGTERM), (8, signal.SIGINT)]
)
def test_stopped_between_two_lines_and_resumed(
    iterations: int, number: int, whole: Run, tmp_path: Path, monkeypatch
) -> None:
    with monkeypatch.context() as patch:
        stop_after(patch, iterations, number)
        with pytest.raises(Interrupted, match=f"Stopped at iteration {iterations} of 9") as stopped:
            go(tmp_path / "run")
    assert stopped.value.exit_code == 128 + number
    logged = [line["step"] for line in Run.open(tmp_path / "run").metrics()]
    assert logged == [step for step in (4, 8) if step <= iterations]
    assert not (tmp_path / f"run/samples/step-{iterations:08d}.png").exists()
    assert_same(go(tmp_path / "run", resume=True), whole)


def test_a_shorter_training_that_is_gone_on_with(whole: Run, tmp_path: Path) -> None:
    short = go(tmp_path / "run", training__steps=6)
    assert [line["step"] for line in short.metrics()] == [4, 6]
    before = (short.path / "metrics.jsonl").read_bytes()
    go(short.path, resume=True, training__steps=6)
    assert (short.path / "metrics.jsonl").read_bytes() == before
    assert_same(go(short.path, resume=True), whole)


def test_the_clock_goes_on_where_it_stood(whole: Run, tmp_path: Path) -> None:
    shutil.copytree(whole.path, tmp_path / "run")
    shutil.rmtree(tmp_path / "run/checkpoints/step-00000009")
    state = tmp_path / "run/checkpoints/step-00000005/state.json"
    values = json.loads(state.read_text())
    assert values["clock"]["logged_step"] == 4
    values["clock"] |= {"seconds": 1000.0, "logged_seconds": 900.0}
    state.write_text(json.dumps(values))
    seconds = [line["seconds"] for line in go(tmp_path / "run", resume=True).metrics()]
    assert seconds[0] < 900 < 1000 < seconds[1] <= seconds[2]
    last = Run.open(tmp_path / "run").metrics()[1]
    assert last["steps_per_second"] < 4 / 100


def test_checkpoints_of_earlier_versions_are_gone_on_with(whole: Run, tmp_path: Path) -> None:
    shutil.copytree(whole.path, tmp_path / "run")
    shutil.rmtree(tmp_path / "run/checkpoints/step-00000009")
    state = tmp_path / "run/checkpoints/step-00000005/state.json"
    state.write_text(json.dumps({"iteration": 5, "best": {}}))
    run = go(tmp_path / "run", resume=True)
    assert [line["step"] for line in run.metrics()] == [4, 8, 9]
    assert run.metrics()[2]["values"] == whole.metrics()[2]["values"]
    assert run.metrics()[1]["values"] != whole.metrics()[1]["values"]  # the fifth was not kept
