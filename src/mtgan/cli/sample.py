"""`mtgan sample`: images from a run."""

from pathlib import Path
from typing import Annotated

import typer

from mtgan.cli.app import app
from mtgan.cli.options import Quiet, Seed


@app.command()
def sample(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    out: Annotated[Path, typer.Option(help="FILE.npz, FILE.png (a grid), or a folder of PNGs.")],
    n: Annotated[int, typer.Option(help="How many samples.")] = 64,
    label: Annotated[
        list[str] | None,
        typer.Option(help="LEVEL=CLASS, as fine=Bag or coarse=shoes; repeatable."),
    ] = None,
    seed: Seed = 0,
    step: Annotated[
        int | None, typer.Option(help="The checkpoint to sample from; the newest when left out.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Draw samples from a run's averaged generator; the run folder alone is enough."""
    from mtgan.errors import UserError
    from mtgan.training import Run
    from mtgan.training.export import check_target, export_samples

    labels = {}
    for text in label or []:
        level, equals, name = text.partition("=")
        if not equals:
            raise UserError(f"--label takes LEVEL=CLASS, as in fine=Bag; found {text!r}.")
        labels[level] = name
    check_target(out)
    opened = Run.open(run)
    images, rows = opened.sample_with_labels(n, labels, seed=seed, step=step)
    export_samples(images, rows, opened.facts.taxonomy, out)
    if not quiet:
        print(f"wrote {n} samples to {out}")
