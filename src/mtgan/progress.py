"""A bar for what takes long; nothing for what does not, nor where nobody looks."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mtgan.text import console, printable

PATIENCE_SECONDS = 2.0


@contextmanager
def progress(
    what: str, total: int | None, in_bytes: bool = False
) -> Iterator[Callable[[int], None]]:
    """Yield `advance(count)`; a bar appears on standard error, where that is a terminal, once the
    work has lasted two seconds.

    total: how many counts there will be, None where that is unknown; in_bytes: whether they are
    bytes, which are shown with units and speed.
    """
    start, done, bar, task = time.monotonic(), 0, None, None

    def advance(count: int) -> None:
        nonlocal done, bar, task
        done += count
        if bar is None and sys.stderr.isatty() and time.monotonic() - start > PATIENCE_SECONDS:
            bar = _bar(in_bytes)
            task = bar.add_task(printable(what), total=total)
            bar.start()
        if bar is not None:
            bar.update(task, completed=done)

    try:
        yield advance
    finally:
        if bar is not None:
            bar.stop()


def _bar(in_bytes: bool):
    from rich import progress as rich

    counts = (
        (rich.DownloadColumn(), rich.TransferSpeedColumn())
        if in_bytes
        else (rich.MofNCompleteColumn(),)
    )
    return rich.Progress(
        rich.TextColumn("{task.description}", markup=False),
        rich.BarColumn(),
        *counts,
        rich.TimeRemainingColumn(),
        console=console(stderr=True),
    )
