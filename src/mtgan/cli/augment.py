"""`mtgan augment`: real and generated images as one training set."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mtgan.cli.app import app, say
from mtgan.cli.options import (
    Checkpoint,
    DataName,
    Device,
    Quiet,
    Root,
    Seed,
    TaxonomyFile,
    Twin,
    as_step,
)


@app.command()
def augment(
    run: Annotated[Path, typer.Argument(help="A run folder, or a folder that export wrote.")],
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    data: DataName = None,
    root: Root = None,
    taxonomy: TaxonomyFile = None,
    balance: Annotated[
        str | None,
        typer.Option(metavar="LEVEL", help="Whose classes are counted; the finest if left out."),
    ] = None,
    rule: Annotated[
        str,
        typer.Option(help="equal, log (half of the way there), or N generated of each class."),
    ] = "equal",
    threshold: Annotated[
        float | None,
        typer.Option(
            "--filter",
            metavar="THRESHOLD",
            help="Take samples whose class a classifier of the real images gives at least this "
            "probability.",
        ),
    ] = None,
    seed: Seed = 0,
    twin: Twin = None,
    step: Checkpoint = None,
    device: Device = "cpu",
    quiet: Quiet = False,
) -> None:
    """Write a training set of real and generated images, for classifiers of anybody's: class
    folders, and a labels.csv with all levels, which says of each image whether it is real."""
    import mtgan

    chosen: dict[str, Any] = {
        "balance": balance,
        "rule": rule,
        "threshold": threshold,
        "twin": twin,
    }
    places: dict[str, Any] = {"root": root, "taxonomy": taxonomy}
    made = mtgan.augment(
        run, data, out, **chosen, **places, seed=seed, step=as_step(step), device=device
    )
    if quiet:
        return
    for note in made.notes():
        say(f"note: {note}")
    say(f"wrote {out}: {len(made.data):,} generated images among the real ones (seed {seed})")
