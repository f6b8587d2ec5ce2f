"""`mtgan sample`: images from a run."""

from pathlib import Path
from typing import Annotated

import typer

from mtgan.cli.app import app, say
from mtgan.cli.options import Checkpoint, Quiet, Samples, Seed


@app.command()
def sample(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    out: Annotated[
        Path,
        typer.Option(help="FILE.npz, FILE.png (a grid), a folder of PNGs; FILE.txt for strings."),
    ],
    n: Samples = 64,
    label: Annotated[
        list[str] | None,
        typer.Option(help="LEVEL=CLASS, as fine=Bag or coarse=shoes; repeatable."),
    ] = None,
    domain: Annotated[
        str | None,
        typer.Option(help="One domain of a run over several, read back from its canvas."),
    ] = None,
    seed: Seed = 0,
    step: Checkpoint = None,
    quiet: Quiet = False,
) -> None:
    """Draw samples from a run's averaged generator; the run folder alone is enough."""
    from mtgan.errors import UserError
    from mtgan.training import Run
    from mtgan.training.export import check_target, export_samples, write_strings

    labels = {}
    for text in label or []:
        level, equals, name = text.partition("=")
        if not equals:
            raise UserError(f"--label takes LEVEL=CLASS, as in fine=Bag; found {text!r}.")
        if level in labels:
            raise UserError(f"--label {level} is given twice; a sample has one class of a level.")
        labels[level] = name
    opened = Run.open(run)
    strings = domain is not None and opened.facts.domain(domain).type == "sequence"
    check_target(out, strings)
    samples, rows = (
        opened.sample_with_labels(n, labels, seed=seed, step=step)
        if domain is None
        else (opened.sample_domain(n, domain, labels, seed=seed, step=step), None)
    )
    if isinstance(samples, list):
        write_strings(samples, out)
    else:
        export_samples(samples, rows, opened.facts.taxonomy, out)
    if not quiet:
        say(f"wrote {n} samples to {out}")
