"""Iterations per second of our training loop against the plainly written one.

Both train the same networks on the same data, alternately in one process, so that whatever else
the machine does falls on both; the ratio of each round's times is what counts.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from benchmarks.plain import PlainWGANGP

from mtgan.data import Dataset
from mtgan.recipes import Recipe
from mtgan.training.logs import Averages
from mtgan.training.loop import Trainer


def compare(recipe: Recipe, data: Dataset, rounds: int, iterations: int) -> dict[str, Any]:
    """Seconds per iteration of both loops, and the median of the rounds' ratios (plain / ours)."""
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(recipe, data, Path(folder) / "run", 0, False, "cpu", "32")
        averages = Averages()
        plain = PlainWGANGP(recipe, data)

        def ours() -> None:
            trainer._iterate(averages)
            trainer.iteration += 1

        def theirs() -> None:
            plain.iterate()

        measured: dict[str, list[float]] = {"ours": [], "plain": []}
        for warm_up in (ours, theirs):
            _seconds(warm_up, 1)
        for _ in range(rounds):
            measured["ours"].append(_seconds(ours, iterations))
            measured["plain"].append(_seconds(theirs, iterations))
    ratios = [p / o for p, o in zip(measured["plain"], measured["ours"], strict=True)]
    return {
        "recipe": recipe.name,
        "width": recipe.discriminator.width,
        "batch_size": recipe.training.batch_size,
        "shape": list(data.shape),
        "threads": torch.get_num_threads(),
        "rounds": rounds,
        "iterations_per_round": iterations,
        "iterations_per_second": {
            name: 1 / statistics.median(seconds) for name, seconds in measured.items()
        },
        "ratio": statistics.median(ratios),
        "ratio_range": [min(ratios), max(ratios)],
    }


def _seconds(step: Callable[[], None], count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        step()
    return (time.perf_counter() - began) / count
