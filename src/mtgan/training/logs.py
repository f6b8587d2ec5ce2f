"""What a run tells while it trains: metrics.jsonl, TensorBoard, and a live progress line."""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mtgan import processes
from mtgan.files import hold
from mtgan.text import console as text_console
from mtgan.text import printable


class Averages:
    """Running means of scalars by name, kept on the device until they are read.

    A term that a phase computes only now and then is averaged over the times it was computed.
    """

    def __init__(self) -> None:
        # By the names of what was added together: one vector costs as little as one scalar.
        self._sums: dict[tuple[str, ...], Tensor] = {}
        self._counts: Counter[tuple[str, ...]] = Counter()

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Add a value, a scalar, to the mean of each name."""
        names = tuple(values)
        vector = torch.stack([value.detach().float() for value in values.values()])
        if names in self._sums:
            vector += self._sums[names]
        self._sums[names] = vector
        self._counts[names] += 1

    def read(self) -> dict[str, float]:
        """The means so far, over all processes, in one transfer; starts over."""
        if not self._sums:
            return {}
        sums = processes.average(torch.cat(list(self._sums.values()))).cpu().tolist()
        totals: dict[str, float] = {}
        counts: Counter[str] = Counter()
        added = ((name, names) for names in self._sums for name in names)
        for (name, names), value in zip(added, sums, strict=True):
            totals[name] = totals.get(name, 0.0) + value
            counts[name] += self._counts[names]
        self._sums.clear()
        self._counts.clear()
        return {name: total / counts[name] for name, total in totals.items()}


class RunLog:
    """Writes one line of JSON per logging interval or evaluation, and the same to TensorBoard.

    A line is {"kind": "train" | "evaluation", "step": iterations done, "seconds": since the run
    began (pauses left out), "values": {name: number}, ...}. The folder is held until `close`;
    UserError where another process trains in it.
    """

    def __init__(self, folder: Path, start_step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._lock = hold(folder, "training in")
        self._path = folder / "metrics.jsonl"
        self._seconds_before = _truncate(self._path, start_step)
        self._began = time.perf_counter()
        self._file = self._path.open("a")
        # Points after the checkpoint that training goes on from are hidden by purge_step.
        self._board = SummaryWriter(folder / "tensorboard", purge_step=start_step or None)

    @property
    def seconds(self) -> float:
        return self._seconds_before + time.perf_counter() - self._began

    def write(self, kind: str, step: int, values: Mapping[str, float], **extra: Any) -> None:
        line = {
            "kind": kind,
            "step": step,
            "seconds": round(self.seconds, 3),
            **extra,
            "values": dict(values),
        }
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        for name, value in values.items():
            self._board.add_scalar(name, value, step)

    def picture(self, step: int, image: np.ndarray) -> None:
        """image uint8 [H, W, C]."""
        self._board.add_image("samples", image, step, dataformats="HWC")

    def flush(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._board.flush()

    def close(self) -> None:
        try:
            self._file.close()
            self._board.close()
        finally:  # on a full disk, too
            self._lock.release()


class NoLog(RunLog):
    """Writes nothing: for the processes beside the one that keeps the run folder."""

    def __init__(self) -> None: ...

    def write(self, kind: str, step: int, values: Mapping[str, float], **extra: Any) -> None: ...

    def picture(self, step: int, image: np.ndarray) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a metrics.jsonl; a last line cut off by a kill is passed over."""
    lines = []
    for text in path.read_text().splitlines() if path.is_file() else []:
        try:
            lines.append(json.loads(text))
        except ValueError:
            continue
    return lines


def _truncate(path: Path, step: int) -> float:
    """Drop the lines after `step`, which resumed training will write again; returns the seconds
    that the run had taken by then."""
    kept = [line for line in read_log(path) if line["step"] <= step] if step else []
    if path.is_file():
        temporary = path.with_suffix(".tmp")
        temporary.write_text("".join(json.dumps(line) + "\n" for line in kept))
        temporary.rename(path)
    return float(kept[-1]["seconds"]) if kept else 0.0


class Progress:
    """The live line: iterations done, per second, time left, losses. Silent when quiet."""

    def __init__(self, total: int, done: int, quiet: bool) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        console = text_console(stderr=True)
        self._plain = not quiet and not console.is_terminal
        self._total, self._last, self._shown = total, done, time.monotonic()
        self._bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}", markup=False),  # names of label levels
            console=console,
            disable=quiet or self._plain,
        )
        self._task = self._bar.add_task(
            "training", total=total, completed=done, speed="", losses=""
        )

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def advance(self, step: int) -> None:
        self._bar.update(self._task, completed=step)

    def show(self, step: int, steps_per_second: float, losses: Mapping[str, float]) -> None:
        text = printable("  ".join(f"{name} {value:.3g}" for name, value in losses.items()))
        speed = f"{steps_per_second:.1f} it/s"
        self._bar.update(self._task, completed=step, speed=speed, losses=text)
        # Where there is no terminal (a log file, CI), a line every so often.
        if self._plain and time.monotonic() - self._shown > 20:
            self._shown = time.monotonic()
            left = (self._total - step) / max(steps_per_second, 1e-9)
            print(f"{step}/{self._total}  {speed}  {left:.0f} s left  {text}", file=sys.stderr)

    def say(self, text: str) -> None:
        """A line above the bar."""
        if self._plain:
            print(printable(text), file=sys.stderr)
        elif not self._bar.disable:
            self._bar.console.print(text)
