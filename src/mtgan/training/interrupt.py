"""Ctrl-C and SIGTERM: a training finishes its iteration, saves, and says how to go on."""

import contextlib
import signal
import sys
import time
from typing import Any

from mtgan.errors import Terminated


class StopRequest:
    """Turns Ctrl-C and SIGTERM into a flag while it is entered; a second Ctrl-C is immediate.

    unit: what is finished first."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.requested = False
        self.number: int = signal.SIGINT  # of the signal
        self._since = 0.0
        self._before: dict[int, Any] = {}

    def _request(self, number: int, frame: object) -> None:
        if self.requested and time.monotonic() - self._since < 1:
            return  # the same request once more: a terminal tells torchrun, which passes it on
        if self.requested:
            raise Terminated if number == signal.SIGTERM else KeyboardInterrupt
        self.requested, self.number, self._since = True, number, time.monotonic()
        print(f"\nfinishing this {self.unit}, then saving ...", file=sys.stderr)

    def __enter__(self) -> "StopRequest":
        with contextlib.suppress(ValueError):  # not the main thread: signals go elsewhere
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._request)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
