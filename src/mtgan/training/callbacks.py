"""Whoever listens to a training, and may end it before its last iteration."""

import math
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from mtgan import processes
from mtgan.errors import UserError

Callback = Callable[[int, Mapping[str, float]], object]
"""Called with the iterations done and the values by name that are logged then; True ends the
training."""


class Listeners:
    """Hands on what is logged, and says when the training is to end early.

    asked: whether a callback of this process has ended it. max_seconds: of wall-clock time from now
    on. The callbacks are called by the first process alone. UserError for seconds that are none.
    """

    def __init__(
        self, callbacks: Sequence[Callback] = (), max_seconds: float | None = None
    ) -> None:
        if max_seconds is not None and not 0 < max_seconds < math.inf:
            raise UserError(f"max_seconds should be a number above 0; found {max_seconds!r}.")
        self._callbacks = callbacks
        self._end = math.inf if max_seconds is None else time.monotonic() + max_seconds
        self.asked = False

    def tell(self, step: int, values: Mapping[str, float]) -> None:
        """Call every callback."""
        for callback in self._callbacks:
            answer = callback(step, dict(values))
            # Nothing else that a function happens to return ends a training.
            self.asked |= isinstance(answer, bool | np.bool_) and bool(answer)

    def enough(self, timed: bool = True) -> bool:
        """Whether a callback has said so, or (where `timed`) the time is over, in any process."""
        if not self._callbacks and self._end == math.inf:
            return False
        return processes.any_of(self.asked or (timed and time.monotonic() >= self._end))
