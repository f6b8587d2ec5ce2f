"""`mtgan report`: a run or a study as one page."""

from pathlib import Path
from typing import Annotated

import typer

from mtgan.cli.app import app, say
from mtgan.cli.options import Checkpoint, Quiet, as_step


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="The folder of a run or of a study.")],
    out: Annotated[
        Path | None,
        typer.Option(help="The page, report.html there if left out; of a study also .md or .tex."),
    ] = None,
    step: Checkpoint = None,
    quiet: Quiet = False,
) -> None:
    """Write curves, samples and figures of a run or a study as one self-contained HTML page."""
    from mtgan.reports import write_pages

    pages = write_pages(run, out, as_step(step))
    if not quiet:
        for page in pages:
            say(f"wrote {page}")
