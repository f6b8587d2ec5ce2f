"""`mtgan report`: a run or a study as one page."""

from pathlib import Path
from typing import Annotated

import typer

from mtgan.cli.app import app, say
from mtgan.cli.options import Quiet


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="The folder of a run or of a study.")],
    out: Annotated[
        Path | None,
        typer.Option(help="The page, report.html there if left out; of a study also .md or .tex."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write curves, samples and figures of a run or a study as one self-contained HTML page."""
    from mtgan.reports import write_report, write_study_report
    from mtgan.studies.collect import StudyResult, is_study_folder
    from mtgan.training import Run

    if is_study_folder(run):
        pages = write_study_report(StudyResult.open(run), out)
    else:
        pages = (write_report(Run.open(run), out),)
    if not quiet:
        for page in pages:
            say(f"wrote {page}")
