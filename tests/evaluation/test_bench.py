"""`mtgan bench evaluate`: the same numbers on both sides, memory, what is left out."""

import importlib
import importlib.util
import json
import sys
from pathlib import Path

import pytest

import mtgan
from mtgan.cli import main

ROOT = Path(mtgan.__file__).parents[2]
RANDOM = {"kernel distance": 0.02, "frechet infinity": 3.0, "prd recall": 0.1, "prd precision": 0.1}
"""What both sides draw at random, and by how much they may differ."""


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    module = importlib.import_module("benchmarks.evaluate")
    for name, value in {
        "NEIGHBOR_TASK": (50, 200, 8),
        "PRD_RUNS": 1,
        "GEOMETRY_DRAWS": 2,
        "SIMILARITY_PAIRS": 2,
    }.items():
        monkeypatch.setattr(module, name, value)
    yield module
    sys.modules.pop("benchmarks.evaluate")


@pytest.mark.filterwarnings("ignore")
def test_both_sides_give_the_same_numbers(benchmark):
    result = benchmark.compare(400, 16, rounds=1, threads=1)
    assert len(result["cases"]) + len(result["left_out"]) == len(benchmark.CASES)
    for case in result["cases"]:
        ours, theirs = case["ours"], case["theirs"]
        assert set(ours["values"]) == set(theirs["values"])
        for name, value in ours["values"].items():
            allowed = RANDOM.get(name, max(1e-3 * abs(value), 1e-5))
            assert value == pytest.approx(theirs["values"][name], abs=allowed), name
        assert case["ratio"] == pytest.approx(theirs["cpu_seconds"] / ours["cpu_seconds"])
    total = result["total"]
    assert total["ours"] == pytest.approx(sum(c["ours"]["cpu_seconds"] for c in result["cases"]))
    assert total["ratio"] == pytest.approx(total["theirs"] / total["ours"])
    assert result["neighbors"]["training"] == 200


def test_says_what_it_left_out(benchmark, monkeypatch, capsys):
    known = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in ("gudhi", "prdc") else known(name)
    )
    kept = [c for c in benchmark.CASES if c.missing or c.name in ("Vendi score", "inception score")]
    monkeypatch.setattr(benchmark, "CASES", kept)
    with pytest.raises(SystemExit) as stop:
        main(["bench", "evaluate", "--n", "300", "--features", "32"])
    assert stop.value.code in (0, None)
    shown = " ".join(capsys.readouterr().out.split())
    assert "left out, gudhi not installed: geometry score" in shown
    assert "left out, prdc not installed: precision" in shown
    assert "together" in shown
    assert "nearest neighbors of 50 in 200 x 8" in shown


def test_json_for_machines(benchmark, monkeypatch, capsys):
    monkeypatch.setattr(
        benchmark, "CASES", [c for c in benchmark.CASES if c.name == "inception score"]
    )
    with pytest.raises(SystemExit):
        main(["bench", "evaluate", "--n", "300", "--features", "32", "--json"])
    result = json.loads(capsys.readouterr().out)
    assert result["samples"] == 300
    assert result["cases"][0]["ours"]["cpu_seconds"] > 0
