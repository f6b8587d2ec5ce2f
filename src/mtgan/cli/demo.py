"""`mtgan demo`: the main job on the embedded data, two minutes of one core."""

from pathlib import Path
from typing import Annotated

import typer

from mtgan.cli.app import app, say
from mtgan.cli.options import Quiet, Seed, Steps
from mtgan.text import console

_RECIPE, _DATA, _STEPS = "ac-projection-gan-b", "fashion-mnist-10k", 3000
_SAMPLES = 2000


@app.command()
def demo(
    out: Annotated[Path | None, typer.Option(help="The run folder.")] = None,
    steps: Steps = None,
    seed: Seed = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped demo.")] = False,
    quiet: Quiet = False,
) -> None:
    """Train a conditional model on embedded clothes, judge it, and write a page of the result."""
    from mtgan.data import load_dataset
    from mtgan.recipes import load_recipe
    from mtgan.reports import write_report
    from mtgan.runs import evaluate_run, store, train
    from mtgan.training.commands import commands_of

    recipe = load_recipe(_RECIPE, {"training.steps": steps or _STEPS}, scale="tiny")
    folder = out or _fresh("runs/demo", resume)
    data = load_dataset(_DATA)
    run = train(recipe, data, folder, seed=seed, resume=resume, quiet=quiet)
    card = evaluate_run(run, data, n=_SAMPLES, seed=seed, corruptions=False)
    store(run, card)
    page = write_report(run)
    if not quiet:
        console().print(card.table())
        say(f"page:    {page}")
        say(f"samples: {run.path / 'samples'}")
        say(f"more:    {commands_of(run)['Another model']}")


def _fresh(name: str, resume: bool) -> Path:
    """`name`, or name-2, name-3, ... where it is taken: a second demo overwrites nothing."""
    if resume:
        return Path(name)
    candidates = (Path(name if i == 1 else f"{name}-{i}") for i in range(1, 10_000))
    return next(path for path in candidates if not path.exists())
