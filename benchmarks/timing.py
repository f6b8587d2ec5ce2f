"""Seconds of loops that take turns, so that whatever else the machine does falls on all of them.

On a CPU, one thread is timed in CPU seconds, which other work hardly moves; several in wall-clock
seconds. A GPU computes after it was asked: the clock is read when it has done all it was given.
"""

import math
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.nn.functional import conv2d

Step = Callable[[], object]
Clock = Callable[[], float]

CPU = torch.device("cpu")
# Of the convolution that stands for what a device can do; a GPU is not filled by a small one.
CEILING_SHAPE = {"cpu": (16, 128, 32, 32), "cuda": (512, 128, 32, 32)}


def clock_of(device: torch.device) -> Clock:
    """What tells the seconds, of a device."""
    if device.type == "cpu":
        return time.process_time if torch.get_num_threads() == 1 else time.perf_counter

    def when_done() -> float:
        torch.cuda.synchronize(device)
        return time.perf_counter()

    return when_done


def take_turns(
    sides: Mapping[str, Step], rounds: int, count: int, clock: Clock | None = None
) -> dict[str, list[float]]:
    """Seconds per call of every side, round by round; by default those of the CPU."""
    clock = clock or clock_of(CPU)
    measured: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, step in sides.items():
            measured[name].append(_seconds(step, count, clock))
    return measured


def _seconds(step: Step, count: int, clock: Clock) -> float:
    began = clock()
    for _ in range(count):
        step()
    return (clock() - began) / count


def host_share(step: Step, count: int, device: torch.device) -> float:
    """Share of the time that the host takes to ask a GPU for its work. At 1 the GPU waits for the
    host, or the host for the GPU at every step; below, the host has time to spare."""
    clock = clock_of(device)
    began = clock()
    for _ in range(count):
        step()
    asked = time.perf_counter()
    return (asked - began) / (clock() - began)


def ratios(above: Sequence[float], below: Sequence[float]) -> dict[str, Any]:
    """Median and range of the rounds' ratios."""
    found = [a / b for a, b in zip(above, below, strict=True)]
    return {"ratio": statistics.median(found), "ratio_range": [min(found), max(found)]}


# Threads ------------------------------------------------------------------------------------------


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_counts(most: int) -> list[int]:
    """1, 2, 4 and so on, and the most."""
    doubled = [2**i for i in range(most.bit_length())]
    return sorted({count for count in doubled if count < most} | {most})


def over_threads(
    step: Step, rounds: int, count: int, counts: Sequence[int]
) -> dict[int, dict[str, Any]]:
    """Wall-clock seconds per call by the number of CPU threads, which take turns, and the ratio of
    one thread's to them. The number of threads is afterwards what it was before."""
    before = torch.get_num_threads()

    def on(threads: int) -> Step:
        def stepped() -> None:
            torch.set_num_threads(threads)
            step()

        return stepped

    sides = {str(threads): on(threads) for threads in counts}
    try:
        take_turns(sides, 1, 1)  # threads are started at their first use
        measured = take_turns(sides, rounds, count, time.perf_counter)
    finally:
        torch.set_num_threads(before)
    one = measured[str(counts[0])]
    return {
        threads: {
            "seconds": statistics.median(measured[str(threads)]),
            **ratios(one, measured[str(threads)]),
        }
        for threads in counts
    }


# What a device can do -----------------------------------------------------------------------------


def convolution(precision: str, device: torch.device) -> Step:
    """One forward pass of a large convolution, which stands for what the device can do."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    shape = CEILING_SHAPE[device.type]
    x, w = (
        torch.randn(size, dtype=dtype, device=device).contiguous(memory_format=torch.channels_last)
        for size in (shape, (shape[1], shape[1], 3, 3))
    )

    def convolve() -> None:
        with torch.no_grad():
            conv2d(x, w, padding=1)

    return convolve


def convolution_flops(device: torch.device) -> int:
    """Floating-point operations of that convolution."""
    shape = CEILING_SHAPE[device.type]
    return 2 * 9 * shape[1] * math.prod(shape)
