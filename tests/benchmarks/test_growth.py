"""`python -m benchmarks.growth`: every case runs, and the exponent is what it says."""

import pytest

from benchmarks import growth


@pytest.mark.parametrize("name", growth.CASES)
def test_every_case_runs(name: str) -> None:
    seconds = growth.measure(name, smallest=40, sizes=2)
    assert list(seconds) == [40, 160]
    assert growth.line(name, seconds).startswith(name)


def test_exponent() -> None:
    assert growth.exponent({10: 9.0, 40: 1.0, 160: 16.0}) == pytest.approx(2)
    assert growth.exponent({40: 3.0, 160: 12.0}) == pytest.approx(1)
