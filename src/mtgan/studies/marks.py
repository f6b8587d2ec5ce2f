"""Trainings that are measured at marks: how far each went, and what it took."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, TypeVar

import torch
from pydantic import Field

from mtgan.files import write_json
from mtgan.recipes.records import Record, read_record
from mtgan.studies.jobs import Job, Measured
from mtgan.studies.yardstick import REFERENCE_SECONDS, yardstick_seconds

T = TypeVar("T")

FILE = "marks.json"


class Reached(Record):
    """A mark that a training has reached: iterations, and CPU seconds of the whole process but for
    its measurements, samples and what is written at marks."""

    iterations: Annotated[int, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0)]
    scale: Annotated[float, Field(gt=0)] | None = None  # seconds for one of the tables' machine


class ReachedMarks(Record):
    """marks.json, by mark."""

    marks: dict[str, Reached]


@dataclass(frozen=True)
class MarkProgress:
    """How far a training was at a mark; see Reached."""

    iterations: int
    seconds: float
    scale: float | None = None

    def measured(self, measured: Measured, mark: float) -> Measured:
        """What was measured at the mark, with iterations and seconds as measures too."""
        own: dict[str, float] = {"iterations": self.iterations, "cpu_seconds": self.seconds}
        if self.scale is not None:
            own["scaled_seconds"] = self.seconds / self.scale
        values = {name: {"value": float(value), "better": ""} for name, value in own.items()}
        return replace(
            measured,
            values={**measured.values, **values},
            iterations=self.iterations,
            seconds=self.seconds,
            mark=mark,
        )


def read_marks(folder: Path, remedy: str) -> dict[str, MarkProgress]:
    """The marks that a training has reached, by their names; UserError where the file is broken."""
    file = folder / FILE
    if not file.exists():
        return {}
    known = read_record(file, ReachedMarks, remedy)["marks"]
    return {name: MarkProgress(**values) for name, values in known.items()}


def write_marks(folder: Path, marks: Mapping[str, MarkProgress]) -> None:
    write_json(folder / FILE, {"marks": {name: asdict(one) for name, one in marks.items()}})


@dataclass
class Machine:
    """By the yardstick, CPU seconds here for one on the machine of our tables; every reading goes
    into the mean, since other work on the machine comes and goes."""

    wanted: bool
    total: float = 0.0
    readings: int = 0

    def read(self) -> float | None:
        if not self.wanted:
            return None
        self.total += yardstick_seconds() / REFERENCE_SECONDS
        self.readings += 1
        return self.total / self.readings


def machine_of(job: Job) -> Machine:
    """For marks in seconds alone: no others are scaled."""
    return Machine(job.unit == "seconds")


@dataclass(frozen=True)
class Pace:
    """CPU seconds of a training: before its first iteration, and of each."""

    setup: float
    iteration: float

    def iterations(self, seconds: float) -> int:
        """How many there are in so many seconds, at least one."""
        return max(1, int((seconds - self.setup) / self.iteration))


@contextmanager
def one_thread(job: Job) -> Iterator[None]:
    """Where seconds are counted: what several threads wait for each other counts as well."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1 if job.unit == "seconds" else threads)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What the work gives, and its CPU seconds."""
    began = time.process_time()
    found = work()
    return found, time.process_time() - began
