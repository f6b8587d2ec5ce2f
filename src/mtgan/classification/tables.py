"""From the results of runs to a table: means over seeds, 95 % intervals, paired differences."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from mtgan.correction import holm
from mtgan.files import write_text
from mtgan.markup import markdown as escaped

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
    p: of a two-sided test that the mean is 0, nan where none was made; p_holm: the same, corrected
    for all comparisons of the sweep."""

    mean: float
    half_width: float
    n: int
    p: float = math.nan
    p_holm: float = math.nan

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


def differences(rows: Sequence[Row], baseline: str) -> dict[tuple[float, str, str], Estimate]:
    """By fraction, setting and measure: the difference from the baseline, paired by seed; p-values
    are corrected over all of them (Holm 1979)."""
    fractions, settings = matrix_of(rows)
    found = {
        (fraction, setting, measure): paired(
            by_seed(rows, setting, fraction, measure), by_seed(rows, baseline, fraction, measure)
        )
        for fraction in fractions
        for setting in settings
        if setting != baseline
        for measure in MEASURES
    }
    tested = [key for key, value in found.items() if not math.isnan(value.p)]
    corrected = holm(np.array([found[key].p for key in tested]))
    for key, p in zip(tested, corrected, strict=True):
        found[key] = replace(found[key], p_holm=float(p))
    return found


def table_rows(rows: Sequence[Row], baseline: str) -> list[dict[str, Any]]:
    """A row per fraction, setting and measure: estimate, and difference from the baseline (0 for
    the baseline itself)."""
    fractions, settings = matrix_of(rows)
    against = differences(rows, baseline)
    lines = []
    for fraction in fractions:
        for setting in settings:
            for measure in MEASURES:
                mean = estimate(list(by_seed(rows, setting, fraction, measure).values()))
                difference = against.get((fraction, setting, measure), Estimate(0.0, 0.0, mean.n))
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
                        "p_holm": difference.p_holm,
                    }
                )
    return lines


def markdown(rows: Sequence[Row], baseline: str) -> str:
    """Two tables: the means, and the differences from the baseline by seed."""
    fractions, settings = matrix_of(rows)
    against = differences(rows, baseline)
    head = "| data | setting | " + " | ".join(MEASURES.values()) + " |\n"
    head += "|---" * (2 + len(MEASURES)) + "|\n"
    means, apart = head, head
    for fraction in fractions:
        for setting in settings:
            cells = [by_seed(rows, setting, fraction, m) for m in MEASURES]
            start = f"| {100 * fraction:g} % | {escaped(setting)} | "
            means += start + " | ".join(str(estimate(list(c.values()))) for c in cells) + " |\n"
            if setting != baseline:
                values = [against[fraction, setting, measure] for measure in MEASURES]
                apart += start + " | ".join(map(_difference, values)) + " |\n"
    seeds = len({row.seed for row in rows})
    family = sum(not math.isnan(value.p) for value in against.values())
    return (
        f"Mean over seeds (n = {seeds}) ± half the width of its 95 % interval (Student's t). The "
        "maximum is over epochs, as in the thesis; test columns are of the epoch with that "
        f"maximum.\n\n{means}\nDifferences from {escaped(baseline)}, paired by seed, and the "
        f"p-value of the paired t-test after Holm's correction for {family} comparisons:\n\n{apart}"
    )


def _difference(value: Estimate) -> str:
    if value.n < 2:
        return f"{value.mean:+.3f}"
    tested = "" if math.isnan(value.p_holm) else f" (p = {value.p_holm:.2g})"
    return f"{value.mean:+.3f} ± {value.half_width:.3f}{tested}"


def write_tables(rows: Sequence[Row], baseline: str, title: str, out: Path) -> None:
    """runs.csv (a row per run), table.csv (a row per estimate) and table.md."""
    flat = [
        {"setting": row.setting, "fraction": row.fraction, "seed": row.seed}
        | {key: value for key, value in row.values.items() if not isinstance(value, dict)}
        for row in rows
    ]
    for name, lines in (("runs.csv", flat), ("table.csv", table_rows(rows, baseline))):
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
        write_text(out / name, text.getvalue())
    write_text(out / "table.md", f"# {escaped(title)}\n\n{markdown(rows, baseline)}")
