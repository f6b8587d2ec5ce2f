"""`mtgan bench start`: what it waits for, and what it says of a command that fails."""

import pytest

from benchmarks import start
from mtgan.errors import UserError


def test_the_first_step_is_waited_for_and_not_taken() -> None:
    result = start.measure("wgan-gp", "fashion-mnist-10k", "tiny", rounds=1)
    help_, recipes, step = (each[0] for each in result["seconds"].values())
    assert 0 < help_ < step
    assert recipes > 0
    assert [line.split(":")[0] for line in start.lines(result)] == [
        "mtgan --help",
        "mtgan recipes list",
        "first step of wgan-gp on fashion-mnist-10k, tiny",
    ]


def test_a_command_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "FIRST_STEP", "raise SystemExit('no such thing')")
    with pytest.raises(UserError, match=r"--scale tiny .* failed: no such thing"):
        start.measure("wgan", "digits", "tiny", rounds=1)
