"""`mtgan demo`: the main job on the embedded data, a few minutes on two cores."""

from pathlib import Path
from typing import Annotated

import typer

from mtgan.cli.app import app, say
from mtgan.cli.options import Quiet, Seed, Steps
from mtgan.text import console

# A short training learns faster than the thesis's 1e-4 for 200,000 iterations.
_SETTINGS = {"training.steps": 1000, "optimizer.learning_rate": 5e-4}


@app.command()
def demo(
    out: Annotated[Path | None, typer.Option(help="The run folder.")] = None,
    steps: Steps = None,
    seed: Seed = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped demo.")] = False,
    quiet: Quiet = False,
) -> None:
    """Train wgan-gp on embedded clothes, evaluate it, and write a page that shows the result."""
    from mtgan import files
    from mtgan.data import load_dataset
    from mtgan.evaluation import evaluate
    from mtgan.recipes import load_recipe
    from mtgan.reports import write_report
    from mtgan.training import train

    settings = _SETTINGS | ({"training.steps": steps} if steps else {})
    recipe = load_recipe("wgan-gp", settings, scale="tiny")
    data = load_dataset("fashion-mnist-10k")
    run = train(
        recipe, data, out or _fresh("runs/demo", resume), seed=seed, resume=resume, quiet=quiet
    )
    count = min(2000, len(data))
    card = evaluate(run.sample(count, seed=seed), data, seed=seed, ladder=False)
    files.write_text(run.path / "evaluation.json", card.to_json())
    page = write_report(run)
    if not quiet:
        console().print(card.table())
        say(f"page:    {page}")
        say(f"samples: {run.path / 'samples'}")
        say("more:    mtgan train ac-wgan-b-real --data fashion-mnist-10k --scale tiny")


def _fresh(name: str, resume: bool) -> Path:
    """`name`, or name-2, name-3, ... where it is taken: a second demo overwrites nothing."""
    if resume:
        return Path(name)
    candidates = (Path(name if i == 1 else f"{name}-{i}") for i in range(1, 10_000))
    return next(path for path in candidates if not path.exists())
