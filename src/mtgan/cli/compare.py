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
    from mtgan.errors import UserError
    from mtgan.reports import open_run, write_comparison
    from mtgan.training import Run

    opened = [open_run(run) for run in runs]
    if twin is not None:
        # Runs without twins stand beside them as they are.
        gans = [run for run in opened if isinstance(run, Run)]
        asked = [run for run in gans if run.twins] or gans
        if not asked:
            raise UserError(
                "--twin names one of a run's GANs, and classifiers have none; leave it out."
            )
        opened = [
            run.twin(twin) if isinstance(run, Run) and run in asked else run for run in opened
        ]
    page = write_comparison(opened, out)
    if not quiet:
        say(f"wrote {page}")
