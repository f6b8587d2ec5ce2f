"""`mtgan train`: a recipe on a data set, into a run folder."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from mtgan.cli.app import app, say
from mtgan.cli.options import (
    DataName,
    Overrides,
    Quiet,
    Root,
    ScaleName,
    Seed,
    Steps,
    TaxonomyFile,
)
from mtgan.text import command


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="A recipe of the zoo, or a YAML file.")],
    data: DataName,
    root: Root = None,
    taxonomy: TaxonomyFile = None,
    overrides: Overrides = None,
    scale: ScaleName = "full",
    steps: Steps = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(help="The run folder; runs/RECIPE-DATA-sSEED when left out.")
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on from the run's newest checkpoint, if there is one."),
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    precision: Annotated[
        str | None, typer.Option(help="32 or bf16; overrides the recipe's training.precision.")
    ] = None,
    compile: Annotated[
        Literal["on", "off"], typer.Option(help="Compile the networks with torch.compile.")
    ] = "off",
    max_time: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="End after 90s, 10m or 2h, evaluated and saved."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Train RECIPE on a data set; samples, losses and checkpoints go to a run folder."""
    from mtgan import plugins, processes
    from mtgan.cli.options import parse_time, read_data, read_recipe, tell_notes
    from mtgan.training import train as train_recipe

    resolved = read_recipe(recipe, overrides, scale, steps)
    dataset = read_data(data, resolved.data, root, taxonomy)
    tell_notes(dataset, quiet)
    seconds = None if max_time is None else parse_time("--max-time", max_time)
    run = train_recipe(
        resolved,
        dataset,
        out,
        seed=seed,
        resume=resume,
        device=device,
        precision=precision,
        compile=compile == "on",
        quiet=quiet,
        max_seconds=seconds,
    )
    if not quiet and processes.is_first():
        say(f"trained {run.recipe.name} for {run.steps[-1]} iterations: {run.path}")
        if run.steps[-1] < run.recipe.training.steps:
            say(f"  {run.recipe.training.steps} were asked for; --resume goes on from here")
        own = plugins.options(run.recipe.run.get("plugins", ()))
        say(f"  {command('mtgan', 'sample', run.path, '--n', 64, '--out', 'samples.png', *own)}")
        say(f"  {command('mtgan', 'report', run.path, *own)}")
