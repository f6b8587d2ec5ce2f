"""`mtgan reproduce`: the sources' figures, tables and claims by their numbers."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtgan.cli.app import app, print_error, print_json, say
from mtgan.cli.options import Device, Json, Quiet, Root, TaxonomyFile
from mtgan.limits import MOST_SEEDS
from mtgan.text import console, duration

if TYPE_CHECKING:
    from mtgan.reproduction.machine import Progress, Setting
    from mtgan.reproduction.reproduced import Reproduced
    from mtgan.studies.execute import JobOutcome


@app.command()
def reproduce(
    what: Annotated[
        list[str],
        typer.Argument(
            help="Entries, as thesis/5.3, or a document, or all; list [DOCUMENT] shows them, "
            "report writes a page of what came of all."
        ),
    ],
    scale: Annotated[str, typer.Option(help="full, or a scale of the studies.")] = "small",
    jobs: Annotated[
        int, typer.Option(min=1, max=1024, help="Runs side by side on this machine.")
    ] = 1,
    out: Annotated[Path, typer.Option(help="The folder of all results.")] = Path("reproduction"),
    seeds: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_SEEDS, help="Seeds 0 to N-1 instead of the studies'."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", help="A data set by name or path, in place of the studies' own."),
    ] = None,
    root: Root = None,
    taxonomy: TaxonomyFile = None,
    page: Annotated[
        Path | None, typer.Option(help="report: the page; OUT/SCALE/reproduction.md if left out.")
    ] = None,
    device: Device = "auto",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be run, and how long it takes.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw figures and tables of the sources from runs of our own, and judge their claims.

    Runs what is needed by way of the studies, which entries share: nothing is run twice.
    """
    from mtgan.errors import UserError
    from mtgan.reproduction.machine import Setting

    if data is None and (root or taxonomy):
        raise UserError("--root and --taxonomy belong to a data set: name it by --data.")
    setting = Setting(out, scale, seeds, data or "", root, taxonomy)
    verb, *rest = what
    if verb == "list":
        _list(rest, setting, as_json)
    elif verb == "report":
        _report(rest, setting, page)
    elif dry_run:
        _plan(what, setting, jobs, device)
    else:
        _reproduce(what, setting, jobs, device, as_json, quiet)


def _list(rest: list[str], setting: "Setting", as_json: bool) -> None:
    from rich.padding import Padding

    from mtgan.errors import UserError
    from mtgan.reproduction.report import listing
    from mtgan.text import literal

    if len(rest) > 1:
        raise UserError(f"mtgan reproduce list takes one document; found {' '.join(rest)}.")
    found = listing(rest[0] if rest else "", setting)
    if as_json:
        print_json([dict(zip(found.columns, row, strict=True)) for row in found.rows])
        return
    out = console()
    for name, shows, claim, answer, price, state in found.rows:
        by = f"{answer}, {price}" if price else answer
        out.print(literal(f"{name}: {state}" + f" ({by})" * bool(by)))
        out.print(Padding(literal(claim or shows), (0, 0, 0, 4)))


def _report(rest: list[str], setting: "Setting", page: Path | None) -> None:
    from mtgan.errors import UserError
    from mtgan.reproduction.report import write_report

    if rest:
        raise UserError(f"mtgan reproduce report is of all entries; leave out {' '.join(rest)}.")
    say(f"wrote {write_report(setting, page)}")


def _plan(what: list[str], setting: "Setting", jobs: int, device: str) -> None:
    from mtgan.reproduction.index import chosen
    from mtgan.reproduction.machine import plans_of
    from mtgan.studies.estimate import estimate

    plans = plans_of(chosen(what), setting)
    total = 0.0
    for name, plan in plans.items():
        with console(stderr=True).status(f"timing a short training of each cell of {name}"):
            found = estimate(plan, setting.study_folder(name), device)
        total += found.seconds
        say(
            f"{name}: {found.runs} runs, {found.finished} of them finished; about "
            f"{duration(found.seconds)}"
        )
    say(f"about {duration(total / jobs)} of training with --jobs {jobs} (measuring not included)")


def _reproduce(
    what: list[str], setting: "Setting", jobs: int, device: str, as_json: bool, quiet: bool
) -> None:
    from mtgan.reproduction import machine
    from mtgan.reproduction.index import chosen
    from mtgan.studies.execute import LocalExecutor, failures_exit_code
    from mtgan.studies.study import require_packages

    wanted = chosen(what)
    if len(wanted) == 1:
        machine.check_one(wanted[0])
    if any(entry.study for entry in wanted):
        require_packages()
    found: list[Reproduced] = []
    failed: list[JobOutcome] = []
    for made in machine.reproduce(
        wanted,
        setting,
        lambda folder: LocalExecutor(folder / "logs", jobs),
        device,
        _progress(quiet or as_json, failed),
    ):
        found.append(made)
        if not (quiet or as_json):
            say(f"{made.entry.id}: {made.verdict or made.error} ({made.folder / 'entry.md'})")
    if as_json:
        print_json(
            [
                {
                    "id": made.entry.id,
                    "folder": str(made.folder),
                    "counts": made.drawn.counts,
                    **(made.verdict.to_dict() if made.verdict else {"error": made.error}),
                }
                for made in found
            ]
        )
    undrawn = [made for made in found if made.error and made.entry.built]
    if failed or undrawn:
        print_error(
            f"{len(failed)} runs failed, and {len(undrawn)} of {len(found)} entries could not be "
            "drawn; their pages say why, and the same command tries again."
        )
        raise typer.Exit(failures_exit_code(failed))


def _progress(quiet: bool, failed: "list[JobOutcome]") -> "Callable[[str], Progress]":
    """Says when a study begins, and which of its runs fail; these are put into `failed`."""

    def of(name: str) -> "Progress":
        def show(done: int, total: int, last: "JobOutcome | None") -> None:
            if last is not None and last.error:
                failed.append(last)
            if quiet:
                return
            if last is None:
                say(f"{name}: {done} of {total} runs are finished", error=True)
            elif last.error:
                say(f"failed: {last.job.id}: {last.error}", error=True)

        return show

    return of
