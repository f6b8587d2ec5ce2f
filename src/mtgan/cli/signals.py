"""SIGINT and SIGTERM: the same end in all verbs, from the first import on."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator

from mtgan.errors import Terminated

STOPPED = 128
"""Exit code, with the signal's number added."""


def stopped(error: BaseException) -> int:
    """Say which signal came, and return the exit code."""
    number = signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT
    key = " (Ctrl-C)" if number is signal.SIGINT else ""
    print(
        f"mtgan: Stopped by {number.name}{key}; what was written by then is whole.",
        file=sys.stderr,
    )
    return STOPPED + number


@contextlib.contextmanager
def terminated_by_an_exception() -> Iterator[None]:
    """SIGTERM raises Terminated, so that what is begun is cleaned up, as on Ctrl-C."""

    def stop(number: int, frame: object) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
