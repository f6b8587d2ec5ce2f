"""How long a plan will take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtgan.studies.cells import Cell
from mtgan.studies.jobs import keeping_data, read_result
from mtgan.studies.plan import StudyPlan


@dataclass(frozen=True)
class Estimate:
    """Seconds of one job after another; `timed` cells were tried out, others are known from runs
    that have finished. Measuring the finished runs is not in it."""

    seconds: float
    runs: int
    finished: int
    timed: int


@keeping_data()
def estimate(plan: StudyPlan, out: Path, device: str = "auto") -> Estimate:
    """How long the unfinished runs will take, from finished ones of the same cell, or else from
    a short training of each cell."""
    finished = {job.id: result for job in plan.jobs(out) if (result := read_result(job))}
    seconds, seen, timed = 0.0, set(finished), 0
    for cell in plan.cells:
        missing = [
            run for seed in cell.seeds(plan.study.seeds) if (run := cell.run_id(seed)) not in seen
        ]
        seen.update(missing)
        if not missing or not cell.trained:
            continue
        if cell.trained_to and cell.trained_to.seconds:
            seconds += len(missing) * cell.trained_to.at[-1]
            continue
        pace = _known_pace(cell, plan.study.seeds, finished)
        if pace is None:
            pace, timed = cell.kind.pace(cell.recipe, cell.data, device), timed + 1
        seconds += len(missing) * pace * cell.length
    return Estimate(seconds, len(plan.jobs(out)), len(finished), timed)


def _known_pace(
    cell: Cell, seeds: Sequence[int], finished: Mapping[str, Mapping[str, Any]]
) -> float | None:
    paces = [
        finished[run]["seconds"] / cell.length
        for seed in seeds
        if (run := cell.run_id(seed)) in finished
    ]
    return sum(paces) / len(paces) if paces else None
