"""Every recipe of the sources, trained with one small budget: what docs/zoo.md shows.

    python -m benchmarks.zoo --out runs/zoo            # resumes; recipe by recipe
    python -m benchmarks.zoo --out runs/zoo --time     # core seconds of each, one after another
    python -m benchmarks.zoo --out runs/zoo --page     # the table in docs/zoo.md, docs/images/zoo

All share data, seed, scale, iterations and learning rate; everything else is the recipe's own.
"""

import argparse
import json
import re
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import mtgan
from mtgan.data import Dataset
from mtgan.data.images import make_grid
from mtgan.evaluation import Evaluator
from mtgan.recipes import Recipe
from mtgan.training import Run
from mtgan.training.train import prepare

DATA = "fashion-mnist-10k"
# One rate for all, high enough for a short training; one size, so that all are judged alike.
BUDGET = {"optimizer.learning_rate": 5e-4, "training.evaluate_every": 0, "data.size": None}
SAMPLES = 2000
COLUMNS = 8
WARM_UP, TIMED = 2, 10

RECIPES = (
    *("wgan-gp", "cwgan-a", "cwgan-b", "ac-wgan-a", "ac-wgan-b", "ac-wgan-c"),
    *("sc-wgan-a", "sc-wgan-b", "sc-wgan-c", "gan", "cgan-a", "ac-gan-a", "sc-gan-a", "ac-gan-b"),
    *("mtl-wgan", "dcgan-advantage", "resnet-a", "resnet-b", "ac-wgan-a-real", "ac-wgan-b-real"),
)
# What the thesis did not try where it failed: name -> recipe and settings.
VARIANTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "sc-wgan-c, s=1": ("sc-wgan-c", {"schedule.classifier_every": 1}),
    "sc-wgan-c, both each time": ("sc-wgan-c", {"schedule.classifier_choice": "all"}),
    "sc-wgan-c, weights 10": ("sc-wgan-c", {"tasks.0.weight": 10.0, "tasks.1.weight": 10.0}),
    "sc-wgan-c, projection": ("sc-wgan-c", {"discriminator.conditioning": "projection"}),
    "cwgan-a, projection": ("cwgan-a", {"discriminator.conditioning": "projection"}),
    "mtl-wgan, projection": ("mtl-wgan", {"discriminator.conditioning": "projection"}),
    "ac-wgan-b, projection": ("ac-wgan-b", {"discriminator.conditioning": "projection"}),
}


def recipe_of(name: str, steps: int) -> Recipe:
    """The recipe of a row under the common budget, with its source's decay and average."""
    recipe, changes = VARIANTS.get(name, (name, {}))
    source = mtgan.load_recipe(recipe)
    budget = {
        **BUDGET,
        "optimizer.decay": source.optimizer.decay,
        "training.ema_decay": source.training.ema_decay,
        "training.steps": steps,
    }
    return mtgan.load_recipe(recipe, {**budget, **changes}, scale="tiny")


def measure(name: str, folder: Path, data: Dataset, steps: int, evaluator: Evaluator) -> None:
    """Train (or go on with) one row of the table, and write its result.json and strip.png."""
    recipe, resume = recipe_of(name, steps), (folder / "recipe.yaml").exists()
    run = mtgan.train(recipe, data, folder, seed=0, resume=resume, quiet=True)
    images, labels = run.sample_with_labels(SAMPLES, seed=0)
    strip(run, labels is not None).save(folder / "strip.png", optimize=True)
    result = {
        "name": name,
        "iterations": steps,
        "parameters": run.game().parameter_counts(),
        "torch": str(torch.__version__),
        **evaluator(images, labels),
    }
    (folder / "result.json").write_text(json.dumps(result, indent=2))


def core_seconds(name: str, data: Dataset) -> float:
    """CPU seconds of one iteration on one thread, which other work on the machine hardly moves."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        trainer = prepare(recipe_of(name, 100), data, Path(folder) / "run", device="cpu")
        for i in range(WARM_UP + TIMED):
            if i == WARM_UP:
                began = time.process_time()
            trainer.run_iteration()
        return (time.process_time() - began) / TIMED


def strip(run: Run, conditioned: bool):
    """A row per class for a conditional generator, else as many rows of its samples."""
    classes = run.facts.taxonomy.num_classes("fine")
    wanted = [{"fine": c} for c in range(classes)] if conditioned else [{}] * classes
    rows = [
        run.sample(COLUMNS, labels, seed=0 if conditioned else i) for i, labels in enumerate(wanted)
    ]
    return make_grid(np.concatenate(rows), columns=COLUMNS)


def page(out: Path, docs: Path) -> str:
    """The Markdown table of what has been measured; strips are copied beside the documents."""
    names = [*RECIPES, *VARIANTS]
    rows = [
        "| recipe | Frechet distance | inception-style score | accuracy fine | accuracy coarse "
        "| parameters G / D / C | core seconds | samples |",
        "|---|---|---|---|---|---|---|---|",
    ]
    times = json.loads((out / "times.json").read_text())
    pictures = docs / "images" / "zoo"
    pictures.mkdir(parents=True, exist_ok=True)
    for name in names:
        folder = out / slug(name)
        if not (folder / "result.json").exists():
            continue
        result = json.loads((folder / "result.json").read_text())
        picture = pictures / f"{slug(name)}.png"
        Image.open(folder / "strip.png").convert("L").reduce(2).save(picture, optimize=True)
        accuracies = [result.get(f"accuracy/{level}") for level in ("fine", "coarse")]
        rows.append(
            f"| {name} | {result['frechet_distance']:.2f} | {result['inception_score']:.2f} | "
            + " | ".join("" if a is None else f"{a:.3f}" for a in accuracies)
            + f" | {parameters(result['parameters'])} | {result['iterations'] * times[name]:.0f} | "
            f"![{name}](images/zoo/{picture.name}) |"
        )
    return "\n".join(rows) + "\n"


def write_page(out: Path, docs: Path) -> None:
    """Put the table between the marks of docs/zoo.md."""
    file = docs / "zoo.md"
    marked = re.compile("(<!-- table -->\n).*(<!-- /table -->)", re.DOTALL)
    table = page(out, docs)
    file.write_text(marked.sub(lambda m: m[1] + table + m[2], file.read_text()))


def parameters(counts: Mapping[str, int]) -> str:
    """Thousands per kind of player; twins and classifiers of one kind added up."""
    kinds = ("generator", "discriminator", "classifier")
    sums = [sum(n for key, n in counts.items() if key.split("/")[0] == kind) for kind in kinds]
    return " / ".join(f"{n / 1000:.0f}k" for n in sums if n)


def slug(name: str) -> str:
    return name.replace(", ", "-").replace(" ", "-").replace("=", "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/zoo"))
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--only", nargs="*", help="rows to train; all when absent")
    parser.add_argument("--time", action="store_true", help="measure the seconds, train nothing")
    parser.add_argument("--page", action="store_true", help="write the table, train nothing")
    arguments = parser.parse_args()
    if arguments.page:
        write_page(arguments.out, Path("docs"))
        return
    data = mtgan.load_dataset(DATA)
    if arguments.time:
        times = {name: core_seconds(name, data) for name in [*RECIPES, *VARIANTS]}
        (arguments.out / "times.json").write_text(json.dumps(times, indent=2))
        return
    evaluator = Evaluator(data, n=SAMPLES)
    for name in arguments.only or [*RECIPES, *VARIANTS]:
        folder = arguments.out / slug(name)
        if not (folder / "result.json").exists():
            measure(name, folder, data, arguments.steps, evaluator)
            print((folder / "result.json").read_text(), flush=True)


if __name__ == "__main__":
    main()
