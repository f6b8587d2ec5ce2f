"""Run a study from its plan to its table and statistics."""

import signal
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from mtgan.errors import Interrupted, Terminated, UserError
from mtgan.files import hold, write_json
from mtgan.studies.collect import StudyResult, begin_folder, write_failures, write_plan, write_table
from mtgan.studies.conclusions import Statistics, conclude
from mtgan.studies.curves import (
    curve_sets,
    logged_names,
    refuse_unknown_curves,
    write_curves,
)
from mtgan.studies.execute import Executor, JobOutcome
from mtgan.studies.jobs import read_result
from mtgan.studies.kinds import KINDS
from mtgan.studies.plan import StudyPlan

_PACKAGES = ("pandas", "pyarrow", "statsmodels")


def run_study(
    plan: StudyPlan,
    out: Path,
    executor: Executor,
    device: str = "auto",
    progress: Callable[[int, int, JobOutcome | None], None] = lambda done, total, last: None,
) -> StudyResult:
    """Run what is not finished yet, and write the table and the statistics into `out`.

    progress: called with runs done, runs in all, and the outcome of the last one. A run that fails
    is recorded, stops no other, and is tried again when the study is run again; where no run at all
    has finished, there is no table. Raises UserError where `out` holds something else, another
    process is running the study there, or a curve is of a value that no run logs; Interrupted
    after Ctrl-C or SIGTERM.
    """
    require_packages()
    begin_folder(plan, out)
    lock = hold(out, "running the study")
    try:
        return _run(plan, out, executor, device, progress)
    finally:
        lock.release()


def _run(
    plan: StudyPlan,
    out: Path,
    executor: Executor,
    device: str,
    progress: Callable[[int, int, JobOutcome | None], None],
) -> StudyResult:
    write_plan(plan, out)
    jobs = plan.jobs(out.resolve(), device)
    waiting = [job for job in jobs if read_result(job) is None]
    failures: dict[str, str] = {}
    done = len(jobs) - len(waiting)
    progress(done, len(jobs), None)
    if waiting:
        check_curves(plan, StudyResult.open(out))
        for name in dict.fromkeys(cell.kind_name for cell in plan.cells):
            KINDS.get(name).prepare(plan)
    try:
        for outcome in executor.run(waiting):
            done += 1
            if outcome.error:
                failures[outcome.job.id] = outcome.error
            progress(done, len(jobs), outcome)
    except KeyboardInterrupt as stop:
        number = signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT
        message = f"Stopped; the same command goes on where it was (study: {out})."
        raise Interrupted(message, number) from None
    finally:
        write_failures(out, failures)
    result = StudyResult.open(out)
    if result.results:
        write_results(result)
    return result


def write_results(result: StudyResult) -> Statistics:
    """table.csv, table.parquet, statistics.json and the files of curves in a study's folder, as its
    runs stand now.

    UserError where no run has finished, or a curve is of a value that no run logs.
    """
    require_packages()
    require_results(result)
    write_table(result)
    statistics = conclude(result)
    write_json(result.path / "statistics.json", statistics.to_dict())
    write_curves(result, curve_sets(result)[0])
    return statistics


def require_results(result: StudyResult) -> None:
    """UserError where no run of a study has finished, with the first reason that is known."""
    if result.results:
        return
    if result.failures:
        run, reason = next(iter(result.failures.items()))
        why = f"{len(result.failures)} failed at the last attempt; {run}: {reason}"
    else:
        why = f"run the study again, and it goes on; {result.path / 'logs'} says how far it came"
    raise UserError(
        f"No run of {result.path} has finished and was measured as its study.yaml asks, so there "
        f"is nothing to tabulate ({why.removesuffix('.')})."
    )


def check_curves(plan: StudyPlan, result: StudyResult) -> None:
    """UserError where a curve is of a value that no cell logs, found before anything is trained.

    What runs have logged so far is read; then cells are trained shortly on the CPU until all curves
    are found. A cell that cannot be trained says so when its turn comes; then what curves there are
    is known at the end.
    """
    wanted = {curve.name for curve in plan.study.curves}
    logged = logged_names(result) if wanted else set()
    for cell in plan.cells:
        if wanted <= logged:
            return
        if not cell.trained:
            continue
        try:
            logged |= cell.kind.logged(cell.recipe, cell.data, "cpu")
        except UserError:
            return
    refuse_unknown_curves(plan.study, logged)


def require_packages() -> None:
    """Said before anything is trained, and not when hours later the table is written."""
    if missing := [name for name in _PACKAGES if find_spec(name) is None]:
        raise UserError(
            f"Studies need {', '.join(missing)}; install them with pip install 'mtgan[study]'."
        )
