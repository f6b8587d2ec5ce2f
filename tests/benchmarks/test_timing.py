"""When the clock is read, and what is told of threads and of a GPU."""

import time
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from rich.console import Console

from benchmarks import timing, train, train_table
from toys import make_data, small_recipe

GPU = torch.device("cuda", 0)


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done, in its order: the clock says how much that was, a wait for the GPU is noted."""
    seen: list[str] = []
    clock = SimpleNamespace(perf_counter=lambda: float(len(seen)), process_time=time.process_time)
    monkeypatch.setattr(timing, "time", clock)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: seen.append("waited"))
    return seen


def test_a_gpu_is_waited_for_before_each_reading(events: list[str]) -> None:
    sides = {name: lambda name=name: events.append(name) for name in "ab"}
    measured = timing.take_turns(sides, rounds=2, count=3, clock=timing.clock_of(GPU))
    turn = ["waited", *"aaa", "waited", "waited", *"bbb", "waited"]
    assert events == turn * 2
    # From the first wait's end to the second's: three steps and a wait, per step.
    assert measured == {"a": [4 / 3, 4 / 3], "b": [4 / 3, 4 / 3]}


def test_the_hosts_share_ends_before_the_wait(events: list[str]) -> None:
    assert timing.host_share(lambda: events.append("asked"), 3, GPU) == 3 / 4


def test_the_clock_of_one_thread_is_its_own() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert timing.clock_of(timing.CPU) is time.process_time
        torch.set_num_threads(2)
        assert timing.clock_of(timing.CPU) is time.perf_counter
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("most", "counts"), [(1, [1]), (2, [1, 2]), (6, [1, 2, 4, 6]), (8, [1, 2, 4, 8])]
)
def test_threads_are_doubled_up_to_the_cores(most: int, counts: list[int]) -> None:
    assert timing.thread_counts(most) == counts


def test_every_number_of_threads_has_its_turns() -> None:
    before, seen = torch.get_num_threads(), []
    found = timing.over_threads(lambda: seen.append(torch.get_num_threads()), 3, 2, [1, 2])
    assert seen == [1, 2] + 3 * [1, 1, 2, 2]
    assert torch.get_num_threads() == before
    assert found[1]["ratio"] == 1
    assert found[2]["ratio_range"][0] <= found[2]["ratio"] <= found[2]["ratio_range"][1]


def test_operations_of_the_ceiling() -> None:
    work = train._work(timing.convolution("32", timing.CPU), 1)
    assert work["flops"] == timing.convolution_flops(timing.CPU)


def side(seconds: float, ratio: float) -> dict[str, Any]:
    return {
        "seconds": seconds,
        "images_per_second": 384 / seconds,
        "ceiling_flops_per_second": 4e13,
        "share_of_ceiling": 0.25,
        "flops": 1.6e11,
        "launches": 952,
        "ratio": ratio,
        "ratio_range": [ratio - 0.1, ratio + 0.1],
    }


def test_what_is_said_of_a_gpu() -> None:
    result = {
        "recipe": "wgan-gp",
        "scale": "tiny",
        "precision": "bf16",
        "rounds": 5,
        "differences": {"loss": 1e-15, "gradient": 2e-15},
        "ours": side(0.004, 5.0),
        "plain": side(0.02, 1.0),
        train.LOADED: side(0.008, 2.5),
        "host": {"ours": 0.4, "plain": 1.0, train.LOADED: 0.9},
        "ratio": 5.0,
        "ratio_range": [4.9, 5.1],
    }
    about = train.machine() | {"device": "NVIDIA H100"}
    about["tf32"] = {"convolutions": True, "products": False}
    console = Console(file=StringIO(), width=160)
    console.print(train_table.table([result], about))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    rows = [" ".join(line.split()) for line in shown.splitlines()]
    assert "wgan-gp tiny ours 250.0 5.00 4.90-5.10 96,000 160.0 25% 952 40%" in rows
    assert "wgan-gp tiny plain, loaded 125.0 2.50 2.40-2.60 48,000 160.0 25% 952 90%" in rows
    assert "device: NVIDIA H100; in TF32: convolutions" in rows
    assert "wall-clock seconds" in shown


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_on_a_gpu(precision: str) -> None:
    result = train.compare(small_recipe("sc-wgan-b"), make_data(), 2, 3, precision, GPU)
    assert max(result["differences"].values()) < train.TOLERANCE
    assert set(result["host"]) == {"ours", "plain", train.GRAPHS, train.LOADED}
    assert all(0 < share <= 1 for share in result["host"].values())
    assert result["ours"]["seconds"] > 0
    assert result["ours"]["flops"] < result["plain"]["flops"]
