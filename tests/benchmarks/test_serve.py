"""`mtgan bench serve`: what it counts, and what it says."""

import pytest

from benchmarks import serve
from mtgan.training import train
from toys import make_data, small_recipe


def test_quantiles_are_of_milliseconds() -> None:
    found = serve._quantiles([i / 1000 for i in range(100, 0, -1)])
    assert found == pytest.approx({"p50": 51, "p99": 99, "most": 100})


def test_lines() -> None:
    result = {
        "run": "toy",
        "requests": 10_000,
        "milliseconds": {"p50": 20.4, "p99": 80, "most": 90},
        "pictures_per_second": {
            "npz": {"served": 800, "direct": 1000, "ratio": 0.8, "cpu_ratio": 0.85}
        },
        "memory": {"before": 300, "after": 303},
    }
    assert serve.lines(result) == [
        "toy: 8 clients, 10,000 pictures: p50 20 ms, p99 80 ms, longest 90 ms",
        "memory 300.0 MiB before and 303.0 MiB after them (+1.0%)",
        "16 in a request as npz: 800 pictures/s, run.sample 1,000/s, ratio 0.80 (by CPU seconds "
        "0.85)",
    ]


@pytest.mark.slow
def test_a_server_under_load(tmp_path) -> None:
    run = train(small_recipe("wgan-gp", training__steps=1), make_data(), tmp_path / "a", quiet=True)
    result = serve.measure(str(run.path), requests=100, rounds=1)
    assert result["requests"] == 100
    assert 0 < result["milliseconds"]["p50"] <= result["milliseconds"]["p99"]
    assert result["memory"]["before"] > 50
    assert set(result["pictures_per_second"]) == {"png", "npz", "json"}
    for each in result["pictures_per_second"].values():
        assert each["served"] > 0
        assert each["direct"] > 0
