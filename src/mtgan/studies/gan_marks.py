"""A GAN that is trained from mark to mark, and leaves samples at each.

A mark is of iterations, or of CPU seconds; these become iterations by the pace of a short training
that is thrown away, and from the second mark on by the pace since the last one. What it took in the
end is measured, and stands beside.
"""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtgan.data import Dataset
from mtgan.data.export import export_samples
from mtgan.errors import UserError
from mtgan.files import temporary_folder, writing
from mtgan.limits import LARGEST_STEP
from mtgan.recipes import Recipe
from mtgan.runs import samples_of, train
from mtgan.studies.jobs import Job, Measured, alone, load_data, mark_name, start_folder
from mtgan.studies.marks import (
    Machine,
    MarkProgress,
    Pace,
    machine_of,
    one_thread,
    read_marks,
    timed,
    write_marks,
)
from mtgan.studies.measure import measure_samples, reference_of, with_twins
from mtgan.training import Run
from mtgan.training.checkpoints import list_checkpoints

if TYPE_CHECKING:
    from mtgan.studies.kinds import Kind

# Iterations between two readings of the clock, rare since a line of the log goes with each; and CPU
# seconds between the first and the last of them, at least.
_BETWEEN, _TIMED_SECONDS = 5, 2.0
_BEFORE = time.process_time()
"""CPU seconds that this process took to begin: they count as those of any script do."""


def measured_at_marks(job: Job, recipe: Recipe, data: Dataset, kind: "Kind") -> Iterator[Measured]:
    """What a job measures at each of its marks, of a training that goes on between them."""
    out = Path(job.out)
    reference = reference_of(job.data, job.evaluation["split"])
    if reference.domains:
        raise UserError(f"{reference.name} holds no plain images; marks are for those alone.")
    training = _Training(job, recipe, data, kind)
    for mark in job.marks:
        name = mark_name(mark)
        if name not in training.marks:
            with one_thread(job):
                run = training.go_on_to(mark)
            for twin in run.each_twin():
                own = twin.own_samples(reference)
                _write_samples(twin, own, job, _samples_file(twin, name))
            write_marks(out, training.marks)
        measured = {
            twin.twin_name or "": measure_samples(_samples_file(twin, name), job, twin.own_samples)
            for twin in Run.open(out).each_twin()
            if _samples_file(twin, name).exists()  # earlier versions kept the main twin's alone
        }
        yield training.marks[name].measured(with_twins(measured), mark)


def _samples_file(run: Run, mark: str) -> Path:
    return run.folder / "marks" / f"{mark}.npz"


class _Training:
    """A run that is trained from mark to mark; marks: what was reached, by name."""

    def __init__(self, job: Job, recipe: Recipe, data: Dataset, kind: "Kind") -> None:
        self.job, self.recipe, self.data, self.kind = job, recipe, data, kind
        self.out = Path(job.out)
        self.resume = can_go_on(self.out, kind.record)
        self.marks = read_marks(self.out, "remove that run's folder, and it is made again")
        self.machine: Machine = machine_of(job)
        self.pace: Pace | None = None

    def go_on_to(self, mark: float) -> Run:
        """Train to a mark, and note what it took."""
        scale = self.machine.read()
        last = max(
            self.marks.values(), key=lambda one: one.iterations, default=MarkProgress(0, 0.0)
        )
        steps = self._steps(mark, last, scale)
        done = max(Run.open(self.out).steps) if self.resume else 0
        recipe = self.kind.lasting(self.recipe, steps)
        run, spent = timed(lambda: self._trained(recipe))
        self.resume = True
        if steps > done:
            self.pace = Pace(0.0, spent / (steps - done))
        # A training that was stopped between two marks has made some of these iterations before.
        seconds = self._pace().iteration * (steps - last.iterations)
        seconds += last.seconds if last.iterations else _BEFORE
        self.marks[mark_name(mark)] = MarkProgress(steps, seconds, self.machine.read())
        return run

    def _trained(self, recipe: Recipe) -> Run:
        job = self.job
        return train(
            recipe,
            self.data,
            self.out,
            seed=job.seed,
            resume=self.resume,
            device=job.device,
            quiet=True,
            start=begun_from(job),
        )

    def _pace(self) -> Pace:
        if self.pace is None:
            self.pace = _timed_pace(self.recipe, self.data, self.job.device)
        return self.pace

    def _steps(self, mark: float, last: MarkProgress, scale: float | None) -> int:
        """Iterations, from the beginning, at which the mark is thought to be reached."""
        if scale is None:
            return int(mark)
        if self.resume and (planned := Run.open(self.out).recipe.training.steps) > last.iterations:
            return planned  # as it was when the training was stopped
        left = mark * scale - last.seconds - (0.0 if last.iterations else _BEFORE)
        return last.iterations + self._pace().iterations(left)


def begun_from(job: Job) -> Run | None:
    """The run that a job's run begins from, trained where it is not yet; None where it begins from
    nothing."""
    if job.start is None:
        return None
    recipe, out = Recipe.model_validate(job.start["recipe"]), start_folder(job)
    with alone(out):
        if not can_go_on(out) or Run.open(out).steps[-1] < recipe.training.steps:
            data = load_data(job.start["data"])
            train(
                *(recipe, data, out),
                seed=job.seed,
                resume=out.exists(),
                device=job.device,
                quiet=True,
            )
    return Run.open(out)


def can_go_on(out: Path, record: str = "") -> bool:
    """Whether there is a run to go on with, or its record. What a kill left before the first
    checkpoint, of which nothing can be gone on with, is removed, so that the run can begin anew."""
    if list_checkpoints(out / "checkpoints") or (record and (out / record).exists()):
        return True
    with writing(out):
        if out.exists():
            shutil.rmtree(out)
    return False


def _timed_pace(recipe: Recipe, data: Dataset, device: str) -> Pace:
    """From a training of a few iterations that is thrown away."""
    keys = {"steps": LARGEST_STEP, "log_every": _BETWEEN, "evaluate_every": 0}
    short = recipe.model_copy(update={"training": recipe.training.model_copy(update=keys)})
    began, times = time.process_time(), list[float]()

    def watch(step: int, values: object) -> bool:
        times.append(time.process_time())
        return len(times) > 1 and times[-1] - times[0] > _TIMED_SECONDS

    with temporary_folder() as folder:
        train(short, data, folder / "run", device=device, quiet=True, callbacks=[watch])
    iteration = (times[-1] - times[0]) / (_BETWEEN * (len(times) - 1))
    return Pace(max(0.0, times[0] - began - _BETWEEN * iteration), iteration)


def _write_samples(run: Run, reference: Dataset, job: Job, file: Path) -> None:
    """As many as any of the job's instruments takes, with the labels that they were asked for."""
    instruments = [job.evaluation, *job.evaluation.get("beside", {}).values()]
    count = max(wanted["samples"] for wanted in instruments)
    made = samples_of(run, reference, min(count, len(reference)), job.evaluation["seed"])
    with writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    labeled = isinstance(made, Dataset)
    samples, labels = (made.samples, made.labels) if labeled else (np.asarray(made), None)
    export_samples(np.asarray(samples), labels, reference.taxonomy, file)
