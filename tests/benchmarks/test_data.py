"""`mtgan bench data`: the same batches from a map and from memory."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import data as benchmark
from mtgan.data import Dataset
from mtgan.errors import UserError
from toys import make_data


@pytest.fixture
def mapped(tmp_path: Path) -> Dataset:
    data = make_data(48)
    np.save(tmp_path / "samples.npy", data.samples)
    return replace(data, samples=np.load(tmp_path / "samples.npy", mmap_mode="r"))


def test_map_and_memory(mapped: Dataset) -> None:
    result = benchmark.compare(mapped, batch_size=8, rounds=2, batches=2)
    assert result["samples"] == 48
    assert result["ratio"] > 0
    assert result["megabytes"] < 50
    assert "48 samples" in benchmark.sentence(result)


def test_what_is_in_memory_is_refused() -> None:
    with pytest.raises(UserError, match="prepare"):
        benchmark.compare(make_data(), 8, 1, 1)


def test_other_batches_are_noticed(mapped: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        benchmark, "replace", lambda data, samples: replace(data, samples=samples + 1)
    )
    with pytest.raises(UserError, match="differ"):
        benchmark.compare(mapped, 8, 1, 1)
