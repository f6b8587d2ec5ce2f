"""Seconds from the start of a command to what its user waits for, each in a process of its own."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mtgan.errors import UserError

# The command line as it is, which stops where the first iteration would begin.
FIRST_STEP = """
import os, sys
from mtgan.training.trainer import Trainer
Trainer.run_iteration = lambda self: os._exit(0)
from mtgan.cli import main
main(sys.argv[1:])
"""


def measure(recipe: str, data: str, scale: str, rounds: int) -> dict[str, Any]:
    """Seconds of the clock of every round: help, the list of recipes, and a training's first step.

    Raises UserError where a command fails.
    """
    training = ["train", recipe, "--data", data, "--scale", scale, "--quiet", "--out"]
    commands: Mapping[str, list[str]] = {
        "mtgan --help": ["-m", "mtgan", "--help"],
        "mtgan recipes list": ["-m", "mtgan", "recipes", "list"],
        f"first step of {recipe} on {Path(data).name}, {scale}": ["-c", FIRST_STEP, *training],
    }
    found: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            with tempfile.TemporaryDirectory() as folder:
                whole = [*command, str(Path(folder) / "run")] if "-c" in command else command
                found[name].append(_seconds(whole))
    return {"rounds": rounds, "seconds": found}


def _seconds(command: Sequence[str]) -> float:
    began = time.perf_counter()
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise UserError(f"{' '.join(command[-6:])} failed: {done.stderr.strip()[-300:]}")
    return seconds


def lines(result: Mapping[str, Any]) -> list[str]:
    """One for each command."""
    return [
        f"{name}: {statistics.median(each):.2f} s ({min(each):.2f} to {max(each):.2f})"
        for name, each in result["seconds"].items()
    ]
