"""How long a training would take here: by a few iterations of it, of which nothing is kept."""

import time

import torch

from mtgan.data import Dataset
from mtgan.files import temporary_folder
from mtgan.recipes import Recipe
from mtgan.training.train import prepare
from mtgan.training.trainer import Trainer

_LONG_SECONDS = 2.0


def seconds_per_iteration(recipe: Recipe, data: Dataset, iterations: int = 3) -> float:
    """Seconds of the quickest of a few iterations, after one to warm up; of that one where it took
    longer than two seconds.

    Logging, evaluations and checkpoints are not in it. UserError where the recipe does not fit the
    data.
    """
    with temporary_folder() as folder:
        trainer = prepare(recipe, data, folder / "run")
        with torch.random.fork_rng(devices=trainer.rng_devices):
            seconds = _time_one(trainer)
            if seconds < _LONG_SECONDS:
                seconds = min(_time_one(trainer) for _ in range(iterations))
    return seconds


def _time_one(trainer: Trainer) -> float:
    began = time.perf_counter()
    trainer.run_iteration()
    if trainer.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began
