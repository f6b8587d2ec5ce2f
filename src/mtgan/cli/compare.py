"""`mtgan compare`: several runs on one page."""

from pathlib import Path
from typing import Annotated

import typer

from mtgan.cli.app import app, say
from mtgan.cli.options import Quiet, Twin


@app.command()
def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="Two to eight run folders, or one whose twins to compare.")
    ],
    out: Annotated[Path, typer.Option(help="The page.")] = Path("comparison.html"),
    twin: Twin = None,
    quiet: Quiet = False,
) -> None:
    """Write one HTML page of RUNS: what differs, measures, curves and samples side by side."""
    from mtgan.reports import write_comparison
    from mtgan.training import Run

    opened = [Run.open(run) for run in runs]
    if twin is not None:
        # Runs without twins stand beside them as they are.
        asked = [run for run in opened if run.twins] or opened
        opened = [run.twin(twin) if run in asked else run for run in opened]
    page = write_comparison(opened, out)
    if not quiet:
        say(f"wrote {page}")
