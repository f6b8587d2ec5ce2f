"""`mtgan study`: many runs, one table, and what their differences are worth."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtgan.cli.app import app, print_error
from mtgan.cli.options import Device, Overrides, Quiet, Root, TaxonomyFile
from mtgan.limits import MOST_SEEDS
from mtgan.text import console, duration, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtgan.studies.collect import StudyResult
    from mtgan.studies.execute import Executor, JobOutcome
    from mtgan.studies.plan import StudyPlan


@app.command()
def study(
    file: Annotated[str, typer.Argument(help="A study file (YAML), or a shipped study by name.")],
    jobs: Annotated[
        int, typer.Option(min=1, max=1024, help="Runs side by side on one machine.")
    ] = 1,
    executor: Annotated[str, typer.Option(help="local, or ray for a cluster.")] = "local",
    address: Annotated[
        str | None, typer.Option(help="The Ray cluster's address; found by itself if left out.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The study's folder; studies/NAME-SCALE when left out.")
    ] = None,
    scale: Annotated[str, typer.Option(help="full, or a scale of the study: tiny, ...")] = "full",
    seeds: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_SEEDS, help="Seeds 0 to N-1 instead of the study's."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", help="A data set by name or path, in place of the study's own."),
    ] = None,
    root: Root = None,
    taxonomy: TaxonomyFile = None,
    overrides: Overrides = None,
    device: Device = "auto",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan and how long it will take.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Run a study, or go on with it: finished runs are never repeated.

    Writes a table of all runs, statistics, and a page that says what differs and how sure that is.
    Ends with 0 where all runs have finished; else with 2 where every failed run is the user's to
    mend (a recipe that does not fit the data, a training that diverges), and with 1 where not.
    """
    from mtgan.errors import UserError
    from mtgan.recipes.load import parse_overrides
    from mtgan.studies.load import load_study, on_data
    from mtgan.studies.plan import make_plan
    from mtgan.studies.study import require_packages

    require_packages()  # a plan that cannot be run is not shown
    chosen_study = load_study(file, scale, seeds, parse_overrides(overrides or []))
    if data is not None:
        chosen_study = on_data(chosen_study, data, root, taxonomy)
    elif root or taxonomy:
        raise UserError("--root and --taxonomy belong to a data set: name it by --data.")
    executor_named(executor, jobs, address)
    how = Carrying(jobs, executor, address or "auto", device, dry_run, quiet)
    how.carry_out(make_plan(chosen_study), out)


@dataclass(frozen=True)
class Carrying:
    """How a plan is carried out, as the options of a command say."""

    jobs: int = 1
    executor: str = "local"
    address: str = "auto"
    device: str = "auto"
    dry_run: bool = False
    quiet: bool = False

    def carry_out(self, plan: "StudyPlan", out: Path | None) -> None:
        """Run a plan into a folder (the usual one when None), or print it."""
        from mtgan.studies.plan import study_folder

        out = out or study_folder(plan.study)
        chosen = _EXECUTORS[self.executor](out, self.jobs, self.address)
        if self.dry_run:
            _print_plan(plan, out, self.jobs, self.device)
        else:
            _run(plan, out, chosen, self.device, self.quiet)


def _local(out: Path, jobs: int, address: str) -> "Executor":
    from mtgan.studies.execute import LocalExecutor

    return LocalExecutor(out / "logs", jobs)


def _ray(out: Path, jobs: int, address: str) -> "Executor":
    from mtgan.studies.execute import RayExecutor

    return RayExecutor(address, jobs)


_EXECUTORS = {"local": _local, "ray": _ray}


def executor_named(name: str, jobs: int, address: str | None) -> "Callable[[Path], Executor]":
    """From a study's folder to what runs its jobs; UserError for a name or address that is none."""
    from mtgan.errors import UserError
    from mtgan.registry import nearest

    if name == "local" and address is not None:
        raise UserError("--address is of a Ray cluster: add --executor ray, or leave it out.")
    if name not in _EXECUTORS:
        raise UserError(f"There is no executor {name!r}: {nearest(name, [*_EXECUTORS])}")
    return lambda out: _EXECUTORS[name](out, jobs, address or "auto")


def _run(plan: "StudyPlan", out: Path, executor: "Executor", device: str, quiet: bool) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    from mtgan.studies.execute import failures_exit_code
    from mtgan.studies.study import run_study

    terminal = console(stderr=True)
    columns = ("runs", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    failed: list[JobOutcome] = []
    with Progress(*columns, console=terminal, disable=quiet) as bar:
        task = bar.add_task("runs", total=None)

        def show(done: int, total: int, last: "JobOutcome | None") -> None:
            bar.update(task, completed=done, total=total)
            if last is not None and last.error:
                failed.append(last)
                terminal.print(f"failed: {last.job.id}: {last.error}", soft_wrap=True)

        result = run_study(plan, out, executor, device, show)
    if result.results:
        _report(result, quiet)
    if failed:
        print_error(
            f"{len(failed)} of the study's runs failed (reasons: {out / 'failures.json'}); the "
            "same command tries them again."
        )
        raise typer.Exit(failures_exit_code(failed))


def _report(result: "StudyResult", quiet: bool) -> None:
    from mtgan.reports.study import write_study_report
    from mtgan.studies.people import plan_survey

    page, markdown, latex = write_study_report(result)
    if not quiet:
        print(printable(markdown.read_text()))
        tables = (markdown, latex, result.path / "table.csv", result.path / "table.parquet")
        print(printable(f"page:   {page}"))
        print(printable(f"tables: {', '.join(map(str, tables))}"))
    survey = plan_survey(result)
    if survey is not None and not quiet:
        print(printable(f"survey: {survey}; see mtgan survey export"))


def _print_plan(plan: "StudyPlan", out: Path, jobs: int, device: str) -> None:
    from rich.table import Table

    from mtgan.studies.estimate import estimate
    from mtgan.studies.jobs import data_words

    study = plan.study
    unit = plan.cells[0].kind.unit
    grid = Table("cell", "recipe", unit, "batch", "data", title=f"{study.name}: plan")
    for cell in plan.cells:
        data = data_words(cell.data)
        length = f"{cell.length:,}" if cell.length else ""
        batch = (cell.trained and cell.kind.batch(cell.recipe)) or ""
        row = (cell.label, cell.recipe.name if cell.trained else "found", length, batch, data)
        grid.add_row(*map(str, row))
    console().print(grid)
    with console(stderr=True).status("timing a short training of each cell"):
        found = estimate(plan, out, device)
    pairs = ", ".join(f"{first.label} against {second.label}" for first, second in plan.pairs)
    print(printable(f"seeds: {', '.join(map(str, study.seeds))}; compared: {pairs}"))
    print(printable(f"measures: {', '.join(measure.name for measure in study.measures)}"))
    if points := {cell.evaluated_every for cell in plan.cells if cell.trained} - {0}:
        every = ", ".join(map(str, sorted(points)))
        print(f"evaluated during training every {every} iterations")
    print(printable(f"{found.runs} runs, {found.finished} of them finished; folder: {out}"))
    print(
        f"about {duration(found.seconds)} of training for one job after another"
        + (f", {duration(found.seconds / jobs)} at best with {jobs} jobs" if jobs > 1 else "")
        + " (measuring not included)"
    )
