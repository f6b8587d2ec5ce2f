"""`mtgan report`: a run as one page."""

from pathlib import Path
from typing import Annotated

import typer

from mtgan.cli.app import app
from mtgan.cli.options import Quiet


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    out: Annotated[Path | None, typer.Option(help="The page; RUN/report.html if left out.")] = None,
    quiet: Quiet = False,
) -> None:
    """Write a run's curves, samples and figures as one self-contained HTML page."""
    from mtgan.reports import write_report
    from mtgan.training import Run

    page = write_report(Run.open(run), out)
    if not quiet:
        print(f"wrote {page}")
