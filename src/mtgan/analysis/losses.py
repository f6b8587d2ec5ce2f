"""Does the discriminator's loss tell quality, and who is ahead?

The Wasserstein estimate against the Frechet distance (thesis 3.0.7), and the log loss ratio (Weaver
2017, Figure 1), over training, from metrics.jsonl alone.

Spearman's rank correlation over one run's evaluations is a description, not a test: both curves
fall as training goes on, so neighboring points are not independent. Beside it stands the
correlation of the *changes* between evaluations, in which a common trend counts for nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from mtgan.analysis.base import Options, Result, Table, analysis
from mtgan.analysis.plots import COLORS, RED, SOFT, new_figure, tidy
from mtgan.errors import UserError
from mtgan.training import Run

Series = tuple[list[float], list[float]]  # steps, values
Lines = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Losses(Result):
    """Curves of one training.

    Attributes:
        estimates: The discriminator's distance estimate by its name: (steps, values).
        frechet: Frechet distance: (steps, values); None without evaluations.
        ratios: log10 of generator to discriminator loss by name.
        correlation: Spearman, estimate against Frechet distance; None with fewer than three
            evaluations of a trained generator, or where either is constant.
        change_correlation: The same of the changes from one evaluation to the next.
        evaluations: Number of evaluations that the correlation is taken over.
    """

    estimates: dict[str, Series]
    frechet: Series | None
    ratios: dict[str, Series]
    correlation: float | None
    change_correlation: float | None
    evaluations: int

    @property
    def verdict(self) -> str:
        if self.correlation is None:
            first = "Too few evaluations to compare the discriminator's estimate with quality."
        else:
            follows = "follows" if self.correlation > 0.5 else "does not follow"
            first = (
                f"The discriminator's estimate {follows} the Frechet distance: rank correlation "
                f"{self.correlation:+.2f} at {self.evaluations} evaluations"
            )
            if self.change_correlation is not None:
                first += f", {self.change_correlation:+.2f} between their changes"
            first += "."
        leads = [f"{name} {_late(values):+.2f}" for name, (_, values) in self.ratios.items()]
        last = f" Last quarter: {', '.join(leads)} (0 is parity)." if leads else ""
        return first + last

    def table(self) -> Table:
        rows: list = [
            ("rank correlation", self.correlation),
            ("of changes", self.change_correlation),
            ("evaluations", self.evaluations),
        ]
        for name, (_, values) in {**self.estimates, **self.ratios}.items():
            rows += [(f"{name}, first quarter", _early(values))]
            rows += [(f"{name}, last quarter", _late(values))]
        if self.frechet:
            rows += [("lowest Frechet distance", min(self.frechet[1]))]
        return Table(("figure", "value"), rows)

    def figure(self) -> Figure:
        figure = new_figure(12, 4, self.verdict)
        over, against, ratio = figure.subplots(1, 3)
        for (name, (steps, values)), color in zip(self.estimates.items(), COLORS, strict=False):
            over.plot(steps, values, color=color, linewidth=1, label=name)
        tidy(over, "estimate (lines) and Frechet distance (dots)", "iterations")
        if self.frechet:
            other = over.twinx()
            other.plot(*self.frechet, "o-", color=RED, markersize=3, linewidth=0.6)
            other.tick_params(labelsize=8, colors=RED)
            for estimate in list(self.estimates.values())[:1]:
                x, y = matched(estimate, self.frechet)
                against.plot(x, y, "o-", markersize=3, linewidth=0.5, color=COLORS[0])
        tidy(against, "evaluation by evaluation", "estimate", "Frechet distance")
        for (name, (steps, values)), color in zip(self.ratios.items(), COLORS, strict=False):
            ratio.plot(steps, values, color=color, linewidth=1, label=name)
        ratio.axhline(0, color=SOFT, linewidth=0.8)
        tidy(ratio, "log10 of generator to discriminator loss", "iterations")
        for axes in (over, ratio):
            if axes.get_lines():
                axes.legend(fontsize=7, frameon=False)
        return figure


def losses(lines: Lines) -> Losses:
    """From the lines of metrics.jsonl (`run.metrics()`, with twins those of one of them).

    Raises:
        UserError: No line of training yet; lines of several discriminators, one of which the
            Frechet distance is not of.
    """
    train, evaluated = series_of(lines, "train"), series_of(lines, "evaluation")
    if not train:
        raise UserError("metrics.jsonl has no line of training yet: train on with --resume.")
    estimates = {n: s for n, s in train.items() if n.endswith("distance_estimate")}
    if len(estimates) > 1:
        raise UserError(
            f"The lines are of {len(estimates)} discriminators ({', '.join(estimates)}), and the "
            "Frechet distance is that of one generator; take run.twin(NAME).metrics()."
        )
    frechet = evaluated.get("frechet_distance")
    correlation, changes, count = None, None, 0
    if estimates and frechet:
        x, y = matched(next(iter(estimates.values())), frechet)
        count = len(x)
        correlation = rank_correlation(x, y)
        changes = rank_correlation(np.diff(x), np.diff(y))
    ratios = {n: s for n, s in train.items() if "log_loss_ratio" in n}
    return Losses(estimates, frechet, ratios, correlation, changes, count)


@analysis(
    "losses",
    "the discriminator's estimate against the Frechet distance; who is ahead",
    takes=("twin",),
)
def of_run(run: Run, options: Options) -> Losses:
    return losses(run.metrics())


def series_of(lines: Lines, kind: str) -> dict[str, Series]:
    """Every logged value of a kind of line over the steps: name -> (steps, values)."""
    series: dict[str, Series] = {}
    for line in lines:
        if line["kind"] == kind:
            for name, value in line["values"].items():
                steps, values = series.setdefault(name, ([], []))
                steps.append(line["step"])
                values.append(value)
    return series


def matched(estimate: Series, frechet: Series) -> tuple[np.ndarray, np.ndarray]:
    """Estimate (of the logging interval that ends nearest) and distance at every evaluation but
    that of the untrained generator, for which no estimate exists yet."""
    steps, values = (np.asarray(column, dtype=float) for column in estimate)
    pairs = [
        (values[np.abs(steps - step).argmin()], distance)
        for step, distance in zip(*frechet, strict=True)
        if step > 0
    ]
    x, y = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(x), np.array(y)


def rank_correlation(x: np.ndarray, y: np.ndarray) -> float | None:
    """Spearman's; None with fewer than three points, or where either is constant."""
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(spearmanr(x, y).statistic)


def distance_correlation(lines: Lines) -> tuple[float, int] | None:
    """Spearman of estimate and Frechet distance, and the number of evaluations; None without."""
    if not series_of(lines, "train"):
        return None
    found = losses(lines)
    return None if found.correlation is None else (found.correlation, found.evaluations)


def _early(values: Sequence[float]) -> float:
    return float(np.mean(values[: max(1, len(values) // 4)]))


def _late(values: Sequence[float]) -> float:
    return float(np.mean(values[-max(1, len(values) // 4) :]))
