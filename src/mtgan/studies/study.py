"""Run a study from its plan to its table and statistics."""

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from mtgan.data.domains import image_sets
from mtgan.errors import UserError
from mtgan.evaluation import QuickEvaluator
from mtgan.files import hold
from mtgan.studies.collect import StudyResult, begin_folder, write_failures, write_plan, write_table
from mtgan.studies.conclusions import Statistics, conclude
from mtgan.studies.execute import Executor, Outcome
from mtgan.studies.plan import Plan, read_result
from mtgan.studies.worker import reference_of

_PACKAGES = ("pandas", "pyarrow", "statsmodels")


def run_study(
    plan: Plan,
    out: Path,
    executor: Executor,
    device: str = "auto",
    progress: Callable[[int, int, Outcome | None], None] = lambda done, total, last: None,
) -> StudyResult:
    """Run what is not finished yet, and write the table and the statistics into `out`.

    progress: called with runs done, runs in all, and the outcome of the last one. A run that fails
    is recorded, stops no other, and is tried again when the study is run again. Raises UserError
    where `out` holds something else, or another process is running the study there.
    """
    _require_packages()
    begin_folder(plan, out)
    with hold(out, "running the study"):
        return _run(plan, out, executor, device, progress)


def _run(
    plan: Plan,
    out: Path,
    executor: Executor,
    device: str,
    progress: Callable[[int, int, Outcome | None], None],
) -> StudyResult:
    write_plan(plan, out)
    jobs = plan.jobs(out.resolve(), device)
    waiting = [job for job in jobs if read_result(job) is None]
    failures: dict[str, str] = {}
    done = len(jobs) - len(waiting)
    progress(done, len(jobs), None)
    if waiting:
        _prepare_instruments(plan)
    try:
        for outcome in executor.run(waiting):
            done += 1
            if outcome.error:
                failures[outcome.job.id] = outcome.error
            progress(done, len(jobs), outcome)
    except KeyboardInterrupt:
        raise UserError(f"Stopped; the same command goes on where it was (study: {out}).") from None
    finally:
        write_failures(out, failures)
    result = StudyResult.open(out)
    write_results(result)
    return result


def write_results(result: StudyResult) -> Statistics:
    """table.csv, table.parquet and statistics.json of a study's folder, as its runs stand now."""
    _require_packages()
    if not result.results:
        raise UserError(
            f"No run of {result.path} has finished, so there is nothing to tabulate; see "
            f"{result.path / 'logs'}."
        )
    write_table(result)
    statistics = conclude(result)
    (result.path / "statistics.json").write_text(json.dumps(statistics.to_dict(), indent=2))
    return statistics


def _require_packages() -> None:
    """Said before anything is trained, and not when hours later the table is written."""
    if missing := [name for name in _PACKAGES if find_spec(name) is None]:
        raise UserError(
            f"Studies need {', '.join(missing)}; install them with pip install 'mtgan[study]'."
        )


def _prepare_instruments(plan: Plan) -> None:
    """Train the classifiers that runs are measured by now, once, and not in every worker."""
    wanted = plan.study.evaluation
    seen = []
    for cell in plan.cells:
        loading = {**cell.data, "subset": None, "taxonomy": None}
        if loading not in seen:
            seen.append(loading)
            for reference in image_sets(reference_of(cell.data, wanted.split)):
                QuickEvaluator(reference, n=2, features=wanted.features)
