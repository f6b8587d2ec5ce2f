"""Short runs of several recipes, and programs that cannot import mtgan."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest

from mtgan.training import Run, train
from toys import make_bars, make_data, small_recipe

Runs = Callable[..., Run]


@pytest.fixture(scope="session")
def runs(tmp_path_factory) -> Runs:
    """A run of one iteration of a recipe, trained when it is asked for."""

    @lru_cache
    def run(name: str, bars: bool = False) -> Run:
        data = make_bars() if bars else make_data(shape=(3, 16, 16), three_levels=True)
        folder = tmp_path_factory.mktemp("run") / name
        return train(small_recipe(name, training__steps=1), data, folder, quiet=True)

    return run


def alone(code: str, folder: Path, *without: str) -> None:
    """Run Python in a folder, in a process that cannot import mtgan, nor what `without` names."""
    barred = dict.fromkeys(["mtgan", *without])
    start = f"import sys; sys.modules.update({barred!r})\n"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", start + code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
