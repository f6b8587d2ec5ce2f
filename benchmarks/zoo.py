"""Every recipe of the sources, trained with one small budget: what docs/zoo.md shows.

    python -m benchmarks.zoo --out runs/zoo            # resumes; recipe by recipe
    python -m benchmarks.zoo --out runs/zoo --page     # docs/zoo-table.md and docs/images/zoo

All share data, seed, scale, iterations and learning rate; everything else is the recipe's own.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import mtgan
from mtgan.data import Dataset
from mtgan.data.images import make_grid
from mtgan.evaluation import QuickEvaluator
from mtgan.training import Run

DATA = "fashion-mnist-10k"
# One rate for all, high enough for a short training; one size, so that all are judged alike.
BUDGET = {"optimizer.learning_rate": 5e-4, "training.evaluate_every": 0, "data.size": None}
SAMPLES = 2000
COLUMNS = 8

RECIPES = (
    *("wgan-gp", "cwgan-a", "cwgan-b", "ac-wgan-a", "ac-wgan-b", "ac-wgan-c"),
    *("sc-wgan-a", "sc-wgan-b", "sc-wgan-c", "gan", "cgan-a", "ac-gan-a", "sc-gan-a", "ac-gan-b"),
    *("mtl-wgan", "dcgan-advantage", "resnet-a", "resnet-b"),
)
# What the thesis did not try where it failed: name -> recipe and settings.
VARIANTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "sc-wgan-c, s=1": ("sc-wgan-c", {"schedule.classifier_every": 1}),
    "sc-wgan-c, both each time": ("sc-wgan-c", {"schedule.classifier_choice": "all"}),
    "sc-wgan-c, weights 10": ("sc-wgan-c", {"tasks.0.weight": 10.0, "tasks.1.weight": 10.0}),
    "sc-wgan-c, projection": ("sc-wgan-c", {"discriminator.conditioning": "projection"}),
    "cwgan-a, projection": ("cwgan-a", {"discriminator.conditioning": "projection"}),
    "ac-wgan-a, heads learn from real": ("ac-wgan-a", {"tasks.0.generated": False}),
    "ac-wgan-b, heads learn from real": (
        "ac-wgan-b",
        {"tasks.0.generated": False, "tasks.1.generated": False},
    ),
    "mtl-wgan, projection": ("mtl-wgan", {"discriminator.conditioning": "projection"}),
    "ac-wgan-b, projection": ("ac-wgan-b", {"discriminator.conditioning": "projection"}),
}


def measure(name: str, folder: Path, data: Dataset, steps: int, evaluator: QuickEvaluator) -> None:
    """Train (or go on with) one row of the table, and write its result.json and strip.png."""
    recipe_name, changes = VARIANTS.get(name, (name, {}))
    settings = {**BUDGET, "training.steps": steps, **changes}
    recipe = mtgan.load_recipe(recipe_name, settings, scale="tiny")
    run = mtgan.train(
        recipe, data, folder, seed=0, resume=(folder / "recipe.yaml").exists(), quiet=True
    )
    images, labels = run.sample_with_labels(SAMPLES, seed=0)
    strip(run, labels is not None).save(folder / "strip.png", optimize=True)
    result = {
        "name": name,
        "iterations": steps,
        "seconds": seconds(run),
        "parameters": run.game().parameter_counts(),
        "torch": str(torch.__version__),
        **evaluator(images, labels),
    }
    (folder / "result.json").write_text(json.dumps(result, indent=2))


def seconds(run: Run) -> float:
    """Of the training steps alone, from the log: it survives interruptions."""
    lines = [line for line in run.metrics() if line["kind"] == "train"]
    done = np.diff([0, *(line["step"] for line in lines)])
    return float(sum(n / line["steps_per_second"] for n, line in zip(done, lines, strict=True)))


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
        "| recipe | Fréchet distance | inception-style score | accuracy fine | accuracy coarse "
        "| parameters G / D / C | seconds | samples |",
        "|---|---|---|---|---|---|---|---|",
    ]
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
            + f" | {parameters(result['parameters'])} | {result['seconds']:.0f} | "
            f"![{name}](images/zoo/{picture.name}) |"
        )
    return "\n".join(rows) + "\n"


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
    parser.add_argument("--page", action="store_true", help="write the table, train nothing")
    arguments = parser.parse_args()
    if arguments.page:
        docs = Path("docs")
        (docs / "zoo-table.md").write_text(page(arguments.out, docs))
        return
    data = mtgan.load_dataset(DATA)
    evaluator = QuickEvaluator(data, n=SAMPLES)
    for name in arguments.only or [*RECIPES, *VARIANTS]:
        folder = arguments.out / slug(name)
        if not (folder / "result.json").exists():
            measure(name, folder, data, arguments.steps, evaluator)
            print((folder / "result.json").read_text(), flush=True)


if __name__ == "__main__":
    main()
