"""The live line of a training: names of label levels are text."""

import io

import pytest
from rich.console import Console

from mtgan.training.logs import Clock, Progress
from mtgan.training.records import ClockRecord


@pytest.mark.parametrize("terminal", [True, False])
def test_names_of_levels_are_text(terminal: bool, monkeypatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    monkeypatch.setattr(Console, "is_terminal", terminal)
    with Progress(3, 0, quiet=False) as progress:
        progress.show(1, 2.0, {"classifier/[/b]\x1b[31m": 1.0})
        progress.say("accuracy/[red]a[/red]:dog:\x1b[31m 0.5")
    assert "accuracy/[red]a[/red]:dog:\\x1b[31m 0.5" in written.getvalue()
    assert "\x1b[31m" not in written.getvalue()
    assert ("classifier/[/b]\\x1b[31m 1" in written.getvalue()) == terminal


def test_the_time_left_counts_neither_a_judge_nor_bare_seconds(monkeypatch, capsys) -> None:
    now = [0.0]
    monkeypatch.setattr("mtgan.training.logs.time.monotonic", lambda: now[0])
    progress = Progress(total=1000, done=0, quiet=False)
    now[0] = 5_000.0  # a judge was trained
    progress.begin()
    now[0] += 25.0
    progress.show(50, 2.0, {"generator": 1.0})
    assert capsys.readouterr().err == "50/1000  2.0 it/s  8 min left  generator 1\n"


def test_evaluations_are_left_out_of_the_speed(monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr("mtgan.training.logs.time.perf_counter", lambda: now[0])
    clock = Clock(ClockRecord(seconds=0.0, logged_step=0, logged_seconds=0.0))
    now[0] = 110.0
    clock.leave_out(100.0)
    assert clock.rate(20) == pytest.approx(2.0)
    assert clock.seconds == 110.0
