"""Reading batches from memory and from a memory-mapped prepared folder, alternately.

What both serve is compared first. Memory is what a process holds for itself (a mapped file's pages
are the system's to take back).
"""

import statistics
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks.timing import ratios, take_turns

from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.training.batches import BatchLoader
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.mixture import Move
from mtgan.training.requests import Requests


def compare(data: Dataset, batch_size: int, rounds: int, batches: int) -> dict[str, Any]:
    """Seconds per batch of a mapped data set, and of a copy in memory.

    Returns:
        A dictionary for JSON; `ratio` is mapped to in-memory seconds, `megabytes` the growth of
        anonymous memory while an epoch and more is read from the map.

    Raises:
        UserError: The samples are not memory-mapped, or the two serve other batches.
    """
    if not isinstance(data.samples, np.memmap):
        raise UserError(
            f"{data.name} is read into memory; prepare it first (mtgan data prepare), and give "
            "the prepared folder."
        )
    requests, device = Requests(DatasetInfo.of(data)), torch.device("cpu")
    mapped = BatchLoader(data, requests, device, 0, False)
    held = BatchLoader(replace(data, samples=np.array(data.samples)), requests, device, 0, False)
    feeds = {"mapped": mapped, "memory": held}
    turn = dict.fromkeys(feeds, 0)

    def serve(name: str) -> torch.Tensor:
        turn[name] += 1
        generator = torch.Generator().manual_seed(turn[name])
        return feeds[name].batch(Move("bench", turn[name]), batch_size, generator).samples

    first, other = (serve(name).flatten(1).sort(dim=0).values for name in feeds)
    if not torch.equal(first, other):
        raise UserError(f"{data.name}: batches from the map differ from those in memory.")
    before = _anonymous_megabytes()
    for _ in range(-(-len(data) // batch_size)):
        serve("mapped")  # an epoch, after which the file's pages are cached
    grown = _anonymous_megabytes() - before
    measured = take_turns({name: lambda n=name: serve(n) for name in feeds}, rounds, batches)
    return {
        "data": data.name,
        "samples": len(data),
        "megabytes_on_disk": data.samples.nbytes / 2**20,
        "batch_size": batch_size,
        "seconds": {name: statistics.median(found) for name, found in measured.items()},
        **ratios(measured["mapped"], measured["memory"]),
        "megabytes": grown,
    }


def _anonymous_megabytes() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon:"))


def sentence(result: Mapping[str, Any]) -> str:
    """One line for the user."""
    low, high = result["ratio_range"]
    times = result["seconds"]
    return (
        f"{result['data']}, {result['samples']:,} samples, "
        f"{result['megabytes_on_disk']:.0f} MB on disk, batches of {result['batch_size']}: mapped "
        f"{1e3 * times['mapped']:.2f} ms, in memory {1e3 * times['memory']:.2f} ms, ratio "
        f"{result['ratio']:.2f} ({low:.2f} to {high:.2f}); own memory grew by "
        f"{result['megabytes']:.1f} MB"
    )
