"""Milliseconds an iteration on a GPU, kernel by kernel and by CUDA graphs: docs/performance.md.

    python -m benchmarks.graphs --scale tiny --precision 32 wgan-gp ac-wgan-b

Images are noise of 32 x 32 in color (the recipe's size where it has one), 512 of them; each figure
is the mean of 20 iterations after two, and TF32 is off. `differs` is the largest relative
difference of what the first iteration logs.
"""

import argparse
import gc
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mtgan.data import Dataset, Taxonomy
from mtgan.recipes import Recipe, load_recipe
from mtgan.recipes.load import zoo_names
from mtgan.training.train import prepare
from mtgan.training.trainer import Trainer

ITERATIONS, SAMPLES = 20, 512
LEVELS = {"fine": 10, "coarse": 4}


@dataclass(frozen=True)
class Timed:
    milliseconds: float
    first_seconds: float  # of the first iteration, with the capture
    mebibytes: float
    means: dict[str, float]


def noise(recipe: Recipe) -> Dataset:
    size = recipe.data.size or 32
    height, width = (size, size) if isinstance(size, int) else size
    random = np.random.default_rng(0)
    samples = random.integers(0, 256, (SAMPLES, 3, height, width), dtype=np.uint8)
    fine = np.arange(SAMPLES) % LEVELS["fine"]
    parents = tuple(i % LEVELS["coarse"] for i in range(LEVELS["fine"]))
    names = {level: tuple(map(str, range(count))) for level, count in LEVELS.items()}
    taxonomy = Taxonomy(tuple(LEVELS), names, {"fine": ("coarse", parents)})
    labels = np.stack([fine, np.asarray(parents)[fine]], axis=1)
    return Dataset(samples, labels, taxonomy, "noise")


def timed(recipe: Recipe, precision: str, graphs: str, folder: Path) -> Timed:
    gc.collect()  # of an earlier training
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    trainer = prepare(
        recipe, noise(recipe), folder, device="cuda", precision=precision, graphs=graphs
    )
    first = seconds(trainer, 1)
    means = trainer.averages.read()
    seconds(trainer, 1)
    each = 1000 * seconds(trainer, ITERATIONS) / ITERATIONS
    return Timed(each, first, torch.cuda.max_memory_allocated() / 2**20, means)


def seconds(trainer: Trainer[Any], iterations: int) -> float:
    """Until the GPU has done all that it was given."""
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(iterations):
        trainer.run_iteration()
    torch.cuda.synchronize()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="+", choices=zoo_names(), metavar="RECIPE")
    parser.add_argument("--scale", default="tiny", choices=("tiny", "small", "full"))
    parser.add_argument("--precision", default="32", choices=("32", "bf16"))
    args = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    print(torch.__version__, torch.cuda.get_device_name())
    print("recipe                 eager ms  graphs ms   times  first s    MiB   differs")
    for name in args.recipes:
        recipe = load_recipe(name, {"training.evaluate_every": 0}, scale=args.scale)
        with tempfile.TemporaryDirectory() as folder:
            eager, graphs = (
                timed(recipe, args.precision, choice, Path(folder) / choice)
                for choice in ("off", "on")
            )
        differs = max(
            abs(eager.means[key] - graphs.means[key]) / max(abs(eager.means[key]), 1e-3)
            for key in eager.means
        )
        print(
            f"{name:22}{eager.milliseconds:9.2f}{graphs.milliseconds:11.2f}"
            f"{eager.milliseconds / graphs.milliseconds:8.2f}{graphs.first_seconds:9.2f}"
            f"{graphs.mebibytes:7.0f}{differs:10.1e}"
        )


if __name__ == "__main__":
    main()
