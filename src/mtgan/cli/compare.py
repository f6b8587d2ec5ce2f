"""`mtgan compare`: several runs on one page."""

from pathlib import Path
from typing import Annotated

import typer

from mtgan.cli.app import app, say
from mtgan.cli.options import Quiet


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Two to eight run folders.")],
    out: Annotated[Path, typer.Option(help="The page.")] = Path("comparison.html"),
    quiet: Quiet = False,
) -> None:
    """Write one HTML page of RUNS: what differs, measures, curves and samples side by side."""
    from mtgan.reports import write_comparison
    from mtgan.training import Run

    page = write_comparison([Run.open(run) for run in runs], out)
    if not quiet:
        say(f"wrote {page}")
