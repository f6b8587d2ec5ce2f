"""From the results of runs to a table: means over seeds, 95 % intervals, paired differences."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

LEVEL = 0.95
# What a table shows, with its heading; the first is the thesis's number (Table 2.2).
MEASURES = {
    "maximum_validation_accuracy": "maximum of validation accuracy",
    "test_accuracy": "test accuracy",
    "test_cross_entropy": "test cross-entropy",
}


@dataclass(frozen=True)
class Row:
    """One run: its setting, fraction of the data and seed, and what its result.json says."""

    setting: str
    fraction: float
    seed: int
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Estimate:
    """A mean over n seeds, and half the width of its 95 % interval by Student's t (nan for n < 2);
    p: of a two-sided test that the mean is 0, where one was made."""

    mean: float
    half_width: float
    n: int
    p: float = math.nan

    def __str__(self) -> str:
        if self.n < 2:
            return f"{self.mean:.3f}"
        return f"{self.mean:.3f} ± {self.half_width:.3f}"


def estimate(values: Sequence[float]) -> Estimate:
    """Mean and interval of independent values."""
    n = len(values)
    if n < 2:
        return Estimate(float(np.mean(values)), math.nan, n)
    quantile = stats.t.ppf((1 + LEVEL) / 2, n - 1)
    return Estimate(float(np.mean(values)), float(quantile * stats.sem(values)), n)


def paired(values: Mapping[int, float], baseline: Mapping[int, float]) -> Estimate:
    """Mean of the differences over the seeds that both have, with the paired t-test's p."""
    seeds = sorted(values.keys() & baseline.keys())
    differences = [values[seed] - baseline[seed] for seed in seeds]
    plain = estimate(differences)
    if plain.n < 2 or plain.half_width == 0:
        return plain
    p = stats.ttest_rel([values[s] for s in seeds], [baseline[s] for s in seeds]).pvalue
    return Estimate(plain.mean, plain.half_width, plain.n, float(p))


def by_seed(rows: Sequence[Row], setting: str, fraction: float, measure: str) -> dict[int, float]:
    """The values of one cell of the matrix."""
    return {
        row.seed: float(row.values[measure])
        for row in rows
        if (row.setting, row.fraction) == (setting, fraction)
    }


def matrix_of(rows: Sequence[Row]) -> tuple[list[float], list[str]]:
    """Fractions and settings in the order in which they come."""
    return [*dict.fromkeys(r.fraction for r in rows)], [*dict.fromkeys(r.setting for r in rows)]


def table_rows(rows: Sequence[Row], baseline: str) -> list[dict[str, Any]]:
    """A row per fraction, setting and measure: estimate, and difference from the baseline."""
    fractions, settings = matrix_of(rows)
    lines = []
    for fraction in fractions:
        for setting in settings:
            for measure in MEASURES:
                values = by_seed(rows, setting, fraction, measure)
                mean = estimate(list(values.values()))
                difference = paired(values, by_seed(rows, baseline, fraction, measure))
                lines.append(
                    {
                        "fraction": fraction,
                        "setting": setting,
                        "measure": measure,
                        "seeds": mean.n,
                        "mean": mean.mean,
                        "half_width": mean.half_width,
                        "difference": difference.mean,
                        "difference_half_width": difference.half_width,
                        "p": difference.p,
                    }
                )
    return lines


def markdown(rows: Sequence[Row], baseline: str) -> str:
    """Two tables: the means, and the differences from the baseline by seed."""
    fractions, settings = matrix_of(rows)
    head = "| data | setting | " + " | ".join(MEASURES.values()) + " |\n"
    head += "|---" * (2 + len(MEASURES)) + "|\n"
    means, differences = head, head
    for fraction in fractions:
        for setting in settings:
            cells = {m: by_seed(rows, setting, fraction, m) for m in MEASURES}
            start = f"| {100 * fraction:g} % | {setting} | "
            means += start + " | ".join(str(estimate(list(c.values()))) for c in cells.values())
            means += " |\n"
            if setting != baseline:
                against = [paired(cells[m], by_seed(rows, baseline, fraction, m)) for m in MEASURES]
                differences += start + " | ".join(map(_difference, against)) + " |\n"
    seeds = len({row.seed for row in rows})
    return (
        f"Mean over seeds (n = {seeds}) ± half the width of its 95 % interval (Student's t). The "
        "maximum is over epochs, as in the thesis; test columns are of the epoch with that "
        "maximum.\n\n"
        f"{means}\nDifferences from {baseline}, paired by seed, and the p-value of the paired "
        f"t-test (not adjusted for the number of comparisons):\n\n{differences}"
    )


def _difference(value: Estimate) -> str:
    if value.n < 2:
        return f"{value.mean:+.3f}"
    return f"{value.mean:+.3f} ± {value.half_width:.3f} (p = {value.p:.2g})"


def write_tables(rows: Sequence[Row], baseline: str, title: str, out: Path) -> None:
    """runs.csv (a row per run), table.csv (a row per estimate) and table.md."""
    flat = [
        {"setting": row.setting, "fraction": row.fraction, "seed": row.seed}
        | {key: value for key, value in row.values.items() if not isinstance(value, dict)}
        for row in rows
    ]
    for name, lines in (("runs.csv", flat), ("table.csv", table_rows(rows, baseline))):
        with (out / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)
    (out / "table.md").write_text(f"# {title}\n\n{markdown(rows, baseline)}")
