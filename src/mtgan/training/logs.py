"""What a run tells while it trains: metrics.jsonl, TensorBoard, trackers, a live progress line."""

import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from mtgan import files, processes
from mtgan.errors import Interrupted, UserError
from mtgan.recipes.records import validated
from mtgan.text import console as text_console
from mtgan.text import duration, printable
from mtgan.training.callbacks import Listeners
from mtgan.training.checkpoints import RESUME, remove_unfinished
from mtgan.training.events import EventFile
from mtgan.training.records import ClockRecord, LineRecord, SumRecord
from mtgan.training.trackers import Ending, Trackers


def as_vector(values: Mapping[str, Tensor]) -> tuple[tuple[str, ...], Tensor]:
    """Names, and their scalars side by side, detached, in float32."""
    return tuple(values), torch.stack([value.detach().float() for value in values.values()])


class Averages:
    """Running means of scalars by name, kept on the device until they are read.

    A term that a phase computes only now and then is averaged over the times it was computed.
    """

    def __init__(self) -> None:
        # By the names of what was added together: one vector costs as little as one scalar.
        self._sums: dict[tuple[str, ...], Tensor] = {}
        self._counts: Counter[tuple[str, ...]] = Counter()

    def add(self, names: tuple[str, ...], vector: Tensor) -> None:
        """Add a value to the mean of each name; see `as_vector`. The vector is not kept."""
        if names in self._sums:
            self._sums[names] += vector
        else:
            self._sums[names] = vector.clone()
        self._counts[names] += 1

    def read(self) -> dict[str, float]:
        """The means since the last `clear`, over all processes."""
        totals: dict[str, float] = {}
        counts: Counter[str] = Counter()
        for part in self.state():
            for name, value in zip(part.names, part.sums, strict=True):
                totals[name] = totals.get(name, 0.0) + value
                counts[name] += part.count
        return {name: total / counts[name] for name, total in totals.items()}

    def clear(self) -> None:
        """Begin anew."""
        self._sums.clear()
        self._counts.clear()

    def state(self) -> list[SumRecord]:
        """What `restore` takes, averaged over all processes, in one transfer."""
        if not self._sums:
            return []
        sums = processes.average(torch.cat(list(self._sums.values()))).cpu()
        parts = sums.split([len(names) for names in self._sums])
        return [
            SumRecord(names=list(names), sums=part.tolist(), count=self._counts[names])
            for names, part in zip(self._sums, parts, strict=True)
        ]

    def restore(self, state: Sequence[SumRecord], device: torch.device) -> None:
        """Go on from what `state` gave: later means are as if nothing had come between."""
        self._sums = {
            tuple(part.names): torch.tensor(part.sums, dtype=torch.float32, device=device)
            for part in state
        }
        self._counts = Counter({tuple(part.names): part.count for part in state})


class Clock:
    """Seconds of training, pauses left out, and iterations per second since the last line."""

    def __init__(self, record: ClockRecord) -> None:
        self._record = record
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        return self._record.seconds + time.perf_counter() - self._began

    def rate(self, step: int) -> float:
        """Iterations per second since the last `mark`."""
        seconds = self.seconds - self._record.logged_seconds
        return (step - self._record.logged_step) / max(seconds, 1e-9)

    def leave_out(self, seconds: float) -> None:
        """Something else than iterations has taken so long since the last `mark`."""
        later = self._record.logged_seconds + seconds
        self._record = self._record.model_copy(update={"logged_seconds": later})

    def mark(self, step: int) -> None:
        self._record = self._record.model_copy(
            update={"logged_step": step, "logged_seconds": self.seconds}
        )

    def state(self) -> ClockRecord:
        """What a checkpoint keeps, to go on from."""
        return self._record.model_copy(update={"seconds": self.seconds})


class RunLog:
    """Writes one line of JSON per logging interval or evaluation, and the same to TensorBoard.

    A line is {"kind": "train" | "evaluation", "step": iterations done, "seconds": since the run
    began (pauses left out), "values": {name: number}, ...}. The folder is held until `close`.

    start_step: of the iterations that training goes on from; later lines are dropped, all of them
    where it is None. clock: as the checkpoint had it; by default as the last line says.
    unfinished: whether the interval of a line at start_step (the last of a shorter training) goes
    on, so that the line is dropped. trackers: who else is told. UserError where another process
    trains in the folder, it cannot be written, or a tracker cannot be opened.
    """

    def __init__(
        self,
        folder: Path,
        start_step: int | None,
        clock: ClockRecord | None = None,
        unfinished: bool = False,
        trackers: Trackers | None = None,
    ) -> None:
        self._trackers = trackers or Trackers(folder)
        self._lock = files.hold(folder, "training in")
        self._path = folder / "metrics.jsonl"
        step = -1 if start_step is None else start_step
        try:
            _remove_leftovers(folder)
            seconds = _truncate(self._path, step, unfinished)
            self._events = EventFile(folder / "tensorboard", step + 1, RESUME)
            self._trackers.begin(lambda: read_log(self._path))
        except BaseException:
            self._lock.release()
            raise
        began = ClockRecord(seconds=seconds, logged_step=max(step, 0), logged_seconds=seconds)
        self.clock = Clock(clock or began)

    @property
    def seconds(self) -> float:
        return self.clock.seconds

    def write(self, kind: str, step: int, values: Mapping[str, float], **extra: Any) -> None:
        line = {
            "kind": kind,
            "step": step,
            "seconds": round(self.seconds, 3),
            **extra,
            "values": dict(values),
        }
        files.append(self._path, (json.dumps(line) + "\n").encode(), RESUME)
        self._events.scalars(step, values)
        self._trackers.write(kind, step, values)

    def picture(self, step: int, image: np.ndarray, tag: str = "samples") -> None:
        """image uint8 [H, W, 3]; tag: under which TensorBoard shows it."""
        self._events.picture(step, tag, image)
        self._trackers.picture(step, tag, image)

    def flush(self) -> None:
        """Bring everything to the disk."""
        with files.writing(self._path, RESUME):
            if self._path.exists():
                files.flush(self._path)
        self._events.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        stopped = isinstance(error, Interrupted)
        self.close("finished" if error is None else "stopped" if stopped else "failed")

    def close(self, ending: Ending = "finished") -> None:
        """Let go of the folder. ending: how the training came to its end, for trackers."""
        try:
            self._trackers.close(ending)
        finally:
            self._lock.release()


class NoLog(RunLog):
    """Writes nothing: for the processes beside the one that keeps the run folder."""

    def __init__(self) -> None:
        self.clock = Clock(ClockRecord(seconds=0.0, logged_step=0, logged_seconds=0.0))

    def write(self, kind: str, step: int, values: Mapping[str, float], **extra: Any) -> None: ...

    def picture(self, step: int, image: np.ndarray, tag: str = "samples") -> None: ...

    def flush(self) -> None: ...

    def close(self, ending: Ending = "finished") -> None: ...


@dataclass(frozen=True)
class Reporter:
    """Whoever is told how a training goes: the files, the terminal, the caller's functions."""

    log: RunLog
    progress: "Progress"
    listeners: Listeners


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a metrics.jsonl; a last line cut off by a kill is passed over.

    Raises UserError that names the line and the key where one is not as it was written.
    """
    lines: list[dict[str, Any]] = []
    texts = files.read_text(path).split("\n") if path.exists() else []
    for number, text in enumerate(texts, start=1):
        where = f"Line {number} of {path}"
        try:
            line = json.loads(text)
        except (ValueError, RecursionError) as error:
            if number == len(texts):
                continue
            raise UserError(f"{where} is not valid JSON ({error}); remove that line.") from error
        validated(LineRecord, line, where, "mend or remove that line")
        lines.append(line)
    return lines


def tidy(folder: Path) -> None:
    """Remove what killed trainings left in a run folder; UserError where one is at it."""
    lock = files.hold(folder, "training in")
    _remove_leftovers(folder)
    lock.release()


def _remove_leftovers(folder: Path) -> None:
    files.remove_partial(folder.parent, folder.name)
    for own in (folder, *folder.glob("twins/*")):
        for place in (own, own / "samples", *own.glob("domains/*")):
            files.remove_partial(place)
    remove_unfinished(folder / "checkpoints")


def _truncate(path: Path, step: int, unfinished: bool) -> float:
    """Drop the lines after `step`, which resumed training will write again; returns the seconds
    that the run had taken by then."""
    if not path.exists():
        return 0.0
    kept = [
        line
        for line in (read_log(path) if step >= 0 else [])
        if line["step"] < step
        or (line["step"] == step and not (unfinished and line["kind"] == "train"))
    ]
    files.write_text(path, "".join(json.dumps(line) + "\n" for line in kept), RESUME)
    return float(kept[-1]["seconds"]) if kept else 0.0


class Progress:
    """The live line: iterations done, per second, time left, losses. Silent when quiet."""

    def __init__(self, total: int, done: int, quiet: bool) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
        )

        console = text_console(stderr=True)
        self._plain = not quiet and not console.is_terminal
        self._total, self._first = total, done
        self._began = self._shown = time.monotonic()
        self._bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.fields[losses]}", markup=False),  # names of label levels
            console=console,
            disable=quiet or self._plain,
        )
        self._task = self._bar.add_task(
            "training", total=total, completed=done, speed="", left="", losses=""
        )

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def begin(self) -> None:
        """The iterations begin now: what came before (training a judge, say) foretells nothing."""
        self._began = self._shown = time.monotonic()
        self._bar.reset(self._task, completed=self._first)

    def _left(self, step: int) -> str:
        """How long it will take at the pace since the beginning, evaluations included."""
        pace = (time.monotonic() - self._began) / max(step - self._first, 1)
        return duration(pace * (self._total - step))

    def advance(self, step: int) -> None:
        self._bar.update(self._task, completed=step)

    def show(self, step: int, steps_per_second: float, losses: Mapping[str, float]) -> None:
        text = printable("  ".join(f"{name} {value:.3g}" for name, value in losses.items()))
        speed = f"{steps_per_second:.1f} it/s"
        left = f"{self._left(step)} left"
        self._bar.update(self._task, completed=step, speed=speed, left=left, losses=text)
        # Where there is no terminal (a log file, CI), a line every so often.
        if self._plain and time.monotonic() - self._shown > 20:
            self._shown = time.monotonic()
            line = f"{step}/{self._total}  {speed}  {self._left(step)} left  {text}"
            print(line, file=sys.stderr)

    def say(self, text: str) -> None:
        """A line above the bar."""
        if self._plain:
            print(printable(text), file=sys.stderr)
        elif not self._bar.disable:
            self._bar.console.print(text)
