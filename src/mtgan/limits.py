"""Ranges of the numbers that users type, and the memory that there is for what they ask for.

One place, so that the command line, recipes and functions refuse the same numbers, and say why in
the same words.
"""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mtgan.errors import UserError

LARGEST_SEED = 2**31 - 1
"""What every generator of random numbers here takes, with room for those that count on from it."""
LARGEST_COUNT = 10_000_000
"""Samples of one set, iterations between two events, and the like."""
LARGEST_STEP = 1_000_000_000
"""Iterations of a training."""
FEWEST_JUDGED = 64
"""Samples of each side that scores need: with fewer, neighborhoods of half-samples mean nothing."""
LARGEST_SIDE = 4096
"""Pixels of one side of an image."""
MOST_SEEDS = 1_000
"""Runs of one cell of a study."""


def check_number(what: str, value: float, low: float, high: float) -> None:
    """UserError where a number is outside low..high (both are inside), or is none."""
    if not low <= value <= high:
        raise UserError(f"{what} should be from {low:,} to {high:,}; found {value!r}.")


def check_whole(name: str, value: Any, least: int, most: int) -> None:
    """UserError, which says the range, where the value is no whole number from least to most."""
    whole = hasattr(value, "__index__") and not isinstance(value, bool)
    if not whole or not least <= value <= most:
        raise UserError(
            f"{name} should be a whole number from {least:,} to {most:,}; found {value!r}."
        )


def check_seed(seed: int, what: str = "The seed") -> None:
    """UserError where a seed is outside 0..LARGEST_SEED."""
    check_number(what, seed, 0, LARGEST_SEED)


def check_memory(what: str, count: int, shape: Sequence[int]) -> None:
    """UserError where `count` arrays of bytes of this shape, held twice while they are made, would
    not fit this machine's memory: better than to be killed for want of it.

    what: begins the sentence, in the plural ("5 images of 3 x 8 x 8").
    """
    needed, there = 2 * count, memory_bytes()
    for side in shape:
        needed *= side
    if there is not None and needed > there:
        raise UserError(
            f"{what} take {needed / 2**30:,.1f} GiB, and this machine has {there / 2**30:,.1f}; "
            "ask for fewer, or for smaller ones."
        )


def memory_bytes() -> int | None:
    """Bytes of memory that this process may have, or None where the system does not tell."""
    limits = []
    with contextlib.suppress(AttributeError, OSError, ValueError):
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with contextlib.suppress(OSError, ValueError):  # of a container
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(limits, default=None)
