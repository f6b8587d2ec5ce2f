"""One thread in which a model computes, and a queue of bounded length before it."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from mtgan.web.refusals import Refusal

P = ParamSpec("P")
T = TypeVar("T")

RETRY_AFTER = "1"
"""Seconds after which whoever found the queue full is asked to come again."""


class Worker:
    """Does one thing after another, in the order in which they came.

    limit: how many may wait or be under way at once.
    """

    def __init__(self, name: str, limit: int) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"mtgan-{name}")
        self._places = threading.BoundedSemaphore(limit)
        self.limit = limit

    async def run(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """What `work` gives, done in the thread; Refusal (503) where the queue is full."""
        if not self._places.acquire(blocking=False):
            raise Refusal(
                503,
                f"There are {self.limit} requests before this one, and no more may wait; ask again "
                "in a moment.",
                {"Retry-After": RETRY_AFTER},
            )
        try:
            future = self._thread.submit(work, *args, **options)
        except BaseException:
            self._places.release()
            raise
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Finish what is under way, and drop what waits."""
        self._thread.shutdown(cancel_futures=True)
