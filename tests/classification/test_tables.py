"""Means, intervals and paired differences."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from mtgan.classification.tables import (
    Row,
    differences,
    estimate,
    markdown,
    paired,
    table_rows,
)
from mtgan.correction import holm


def rows(values: dict[str, list[float]]) -> list[Row]:
    return [
        Row(
            name,
            0.5,
            seed,
            {
                "maximum_validation_accuracy": value,
                "test_accuracy": value - 0.01,
                "test_cross_entropy": 1 - value,
            },
        )
        for name, column in values.items()
        for seed, value in enumerate(column)
    ]


def test_the_interval_is_students() -> None:
    """Of 1, 2, 3: mean 2, standard error 1 / sqrt(3), t(0.975, 2) = 4.302653."""
    value = estimate([1.0, 2.0, 3.0])
    assert (value.mean, value.n) == (2, 3)
    assert value.half_width == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert math.isnan(estimate([1.0]).half_width)


def test_differences_are_paired_by_seed() -> None:
    random = np.random.default_rng(0)
    a = random.normal(0, 10, 6)
    b = a + random.normal(1, 0.1, 6)
    value = paired(dict(enumerate(b)), {**dict(enumerate(a)), 99: 0.0})
    expected = stats.ttest_rel(b, a)
    low, high = expected.confidence_interval(0.95)
    assert value.n == 6
    assert value.mean == pytest.approx((low + high) / 2)
    assert value.half_width == pytest.approx((high - low) / 2)
    assert value.p == pytest.approx(expected.pvalue)


def test_the_interval_covers_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    hits = [
        abs((e := estimate(random.normal(3, 1, 5))).mean - 3) < e.half_width for _ in range(800)
    ]
    assert 0.93 < np.mean(hits) < 0.97


def test_the_tables() -> None:
    lines = rows({"STL": [0.5, 0.6, 0.55], "hard": [0.6, 0.7, 0.66]})
    flat = table_rows(lines, "STL")
    assert len(flat) == 2 * 3
    hard = next(r for r in flat if (r["setting"], r["measure"]) == ("hard", "test_accuracy"))
    assert hard["mean"] == pytest.approx(0.65333 - 0.01, abs=1e-4)
    assert hard["difference"] == pytest.approx(0.10333, abs=1e-4)
    text = markdown(lines, "STL")
    assert "| 50 % | hard | 0.653 ± 0.125 | 0.643 ± 0.125 | 0.347 ± 0.125 |" in text
    # Holm's correction: the three p-values are the same, and the smallest counts thrice.
    assert hard["p_holm"] == pytest.approx(3 * hard["p"])
    assert "after Holm's correction for 3 comparisons" in text
    assert f"| 50 % | hard | +0.103 ± 0.014 (p = {3 * hard['p']:.2g})" in text


def test_the_correction_counts_settings_fractions_and_measures() -> None:
    random = np.random.default_rng(0)
    names = ("STL", "soft", "hard")
    few = rows({name: list(random.normal(0.5, 0.1, 4)) for name in names})
    many = [replace(row, fraction=1.0) for row in few]
    found = differences(few + many, "STL")
    p_values = np.array([value.p for value in found.values()])
    assert len(p_values) == 2 * 2 * 3
    corrected = np.array([value.p_holm for value in found.values()])
    assert corrected == pytest.approx(holm(p_values))
    assert corrected.min() == pytest.approx(min(1, 12 * p_values.min()))


def test_what_cannot_be_tested_counts_in_no_correction() -> None:
    """One seed in common, or the same difference at every seed."""
    lines = rows({"STL": [0.5, 0.75, 0.25], "one": [0.6], "equal": [0.5, 0.75, 0.25]})
    found = differences(lines, "STL")
    assert all(math.isnan(value.p_holm) for value in found.values())
    assert "nan" not in markdown(lines, "STL")


def test_names_of_settings_are_text() -> None:
    lines = rows({"STL": [0.5, 0.6], "a|b $x$ *y*": [0.6, 0.7]})
    assert r"| 50 % | a\|b \$x\$ \*y\* |" in markdown(lines, "STL")
    assert {row["setting"] for row in table_rows(lines, "STL")} == {"STL", "a|b $x$ *y*"}
