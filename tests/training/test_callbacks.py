"""Callbacks hear what is logged, and end a training as its last step would; so does the clock."""

import time
from pathlib import Path

import numpy as np
import pytest

from mtgan.errors import UserError
from mtgan.training import Run, train
from mtgan.training.callbacks import Listeners
from toys import Instruments, make_data, small_recipe

SETTINGS: dict[str, object] = {
    "training__steps": 9,
    "training__log_every": 2,
    "training__sample_every": 100,
    "training__checkpoint_every": 100,
}


def go(out: Path, *callbacks, max_seconds: float | None = None, **options) -> Run:
    overrides = {**SETTINGS, **options.pop("overrides", {})}
    return train(
        small_recipe("gan", **overrides),
        make_data(),
        out,
        quiet=True,
        callbacks=callbacks,
        max_seconds=max_seconds,
        **options,
    )


def test_a_callback_hears_every_line(tmp_path: Path) -> None:
    heard = []
    run = go(tmp_path / "run", lambda step, values: heard.append((step, values)))
    lines = [(line["step"], line["values"]) for line in run.metrics() if line["kind"] == "train"]
    assert heard == lines
    assert [step for step, _ in heard] == [2, 4, 6, 8, 9]


def test_a_callback_ends_it_and_it_can_be_gone_on_with(tmp_path: Path) -> None:
    stopped = go(tmp_path / "run", lambda step, values: step == 4)
    assert stopped.steps[-1] == 4
    assert (stopped.path / "samples").is_dir()
    gone_on = go(tmp_path / "run", resume=True)
    whole = go(tmp_path / "whole")
    assert gone_on.steps[-1] == 9
    assert np.array_equal(gone_on.sample(8, seed=0), whole.sample(8, seed=0))
    assert [line["step"] for line in gone_on.metrics()] == [2, 4, 6, 8, 9]


@pytest.mark.parametrize(
    ("answer", "ends"),
    [(True, True), (np.True_, True), (False, False), (None, False), (1, False), ({"a": 1}, False)],
)
def test_only_true_ends_it(answer: object, ends: bool) -> None:
    listeners = Listeners([lambda step, values: answer, lambda step, values: None])
    listeners.tell(3, {"loss": 1.0})
    assert listeners.enough() == listeners.enough(timed=False) == ends


@pytest.mark.parametrize("last", [0, 3])
def test_an_evaluation_is_heard_and_may_end_it(tmp_path: Path, last: int) -> None:
    heard = []

    def early(step: int, values) -> bool:
        if "frechet_distance" not in values:
            return False
        heard.append(step)
        return step == last

    run = go(
        tmp_path / "run",
        early,
        overrides={"training__evaluate_every": 3},
        instruments=Instruments(),
    )
    assert heard == sorted({0, last})
    assert run.steps == heard


def test_the_time_is_over_after_one_step_at_least(tmp_path: Path) -> None:
    run = go(tmp_path / "run", max_seconds=1e-6)
    assert run.steps[-1] == 1
    assert [line["step"] for line in run.metrics()] == [1]


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_seconds_that_are_none(seconds: float) -> None:
    with pytest.raises(UserError, match="max_seconds should be a number above 0"):
        Listeners(max_seconds=seconds)


def test_the_clock_runs() -> None:
    listeners = Listeners(max_seconds=3600)
    assert not listeners.enough()
    listeners._end = time.monotonic()
    assert listeners.enough()
    assert not listeners.enough(timed=False)
