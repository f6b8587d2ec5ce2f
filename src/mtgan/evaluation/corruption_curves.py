"""Metrics over the strength of known corruptions of real images.

In form as the thesis's Figure 3.1, after Heusel et al. 2017, arXiv 1706.08500, appendix A1:
held-out real images are disturbed more and more, and compared with real ones. A metric that is of
use gets worse with every step. Their six disturbances are noise, blur, black rectangles, swirl,
salt and pepper, and images of another data set among them.

N images of each side, C channels, H x W pixels.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtgan.data import Dataset
from mtgan.data.images import make_grid
from mtgan.errors import UserError
from mtgan.evaluation.calibration.corruptions import corrupt_images, image_corruptions
from mtgan.evaluation.data import draw
from mtgan.evaluation.evaluator import Evaluator
from mtgan.evaluation.features import AUTO
from mtgan.evaluation.inputs import check_alike
from mtgan.evaluation.metrics import chosen_metrics
from mtgan.evaluation.scorecard.picture import CORRUPTION_COLORS, INK, SOFT
from mtgan.lettering import save_figure
from mtgan.limits import check_number, check_seed

STRENGTHS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
FOREIGN = "foreign images"
_SHOWN = 2  # pictures of each strength


def foreign_images(
    images: np.ndarray, foreign: np.ndarray, strength: float, seed: int = 0
) -> np.ndarray:
    """Replace a share `strength` of the images by images of another data set of the same shape.

    Args:
        images: uint8 [N, C, H, W].
        foreign: uint8 [M, C, H, W]; each is taken once, as long as there are enough.
        strength: Share in [0, 1].
        seed: Chooses which.

    Returns:
        uint8 [N, C, H, W].
    """
    random = np.random.default_rng(seed)
    count = round(strength * len(images))
    mixed = images.copy()
    places = random.permutation(len(images))[:count]
    mixed[places] = foreign[np.resize(random.permutation(len(foreign)), count)]
    return mixed


@dataclass(frozen=True)
class CorruptionCurves:
    """What metrics say of corrupted real images.

    Attributes:
        dataset: Name of the real data.
        n: Images of each side.
        features: The feature space.
        strengths: From 0 (held-out images as they are) on.
        better: Direction of each metric's key, as in scorecards.
        values: By corruption and metric key, a number for each strength.
        pictures: By corruption, uint8 [strengths * 2, C, H, W], the same images at each strength.
    """

    dataset: str
    n: int
    features: str
    strengths: tuple[float, ...]
    better: Mapping[str, str]
    values: Mapping[str, Mapping[str, tuple[float, ...]]]
    pictures: Mapping[str, np.ndarray] = field(repr=False)

    def setbacks(self, key: str) -> dict[str, list[float]]:
        """By corruption, the strengths at which a metric looks no worse than one step before;
        only of those that have some."""
        found = {}
        for name, values in self.values.items():
            steps = np.diff(_badness(np.array(values[key]), self.better[key]))
            if missed := [
                s for s, step in zip(self.strengths[1:], steps, strict=True) if step <= 0
            ]:
                found[name] = missed
        return found

    @property
    def verdict(self) -> str:
        """Which metrics get worse with every step, in a sentence for each."""
        sentences = []
        for key in self.better:
            missed = self.setbacks(key)
            where = "; ".join(
                f"{name} at {', '.join(f'{strength:g}' for strength in strengths)}"
                for name, strengths in missed.items()
            )
            sentences.append(
                f"{key} misses steps: {where}." if missed else f"{key} gets worse with every step."
            )
        return " ".join(sentences)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, without the pictures."""
        values = asdict(self)
        del values["pictures"]
        return {"verdict": self.verdict, **values}

    def table(self) -> Any:
        """For rich: a row for each corruption and metric, and the verdict."""
        from rich.console import Group
        from rich.table import Table

        from mtgan.text import literal

        table = Table("corruption", "metric", *(f"{strength:g}" for strength in self.strengths))
        for name, by_key in self.values.items():
            for key, values in by_key.items():
                table.add_row(literal(name), literal(key), *(f"{value:.3g}" for value in values))
        return Group(table, literal(self.verdict))

    def figure(self) -> Figure:
        """Pictures above, a chart for each metric below."""
        rows, keys = len(self.pictures), list(self.better)
        figure = Figure(figsize=(11, 1.1 * rows + 3.6), layout="constrained")
        figure.suptitle(
            f"{self.dataset}, corrupted: {self.n:,} images, {self.features}", fontsize=10, color=INK
        )
        parts = figure.subfigures(2, 1, height_ratios=(1.1 * rows, 3.2), squeeze=False)
        above, below = parts[:, 0]
        for axes, (name, images) in zip(
            np.ravel(above.subplots(rows, 1, squeeze=False)), self.pictures.items(), strict=True
        ):
            _draw_pictures(axes, name, images, self.strengths)
        charts = np.ravel(below.subplots(1, len(keys), squeeze=False))
        for axes, key in zip(charts, keys, strict=True):
            self._draw_curves(axes, key)
        below.legend(
            *charts[0].get_legend_handles_labels(),
            loc="outside lower center",
            ncols=rows,
            fontsize=8,
            frameon=False,
        )
        return figure

    def picture(self, path: str | Path) -> Path:
        """Draw to a file; the suffix decides the format. UserError where that cannot be."""
        return save_figure(self.figure(), path)

    def _draw_curves(self, axes: Axes, key: str) -> None:
        for number, (name, values) in enumerate(self.values.items()):
            color = CORRUPTION_COLORS[number % len(CORRUPTION_COLORS)]
            axes.plot(self.strengths, values[key], marker=".", color=color, label=name)
        whole = next(iter(self.values.values()))[key][0]
        axes.axhline(whole, color=SOFT, linewidth=0.8)
        axes.set_title(f"{key} ({self.better[key]} is better)", fontsize=9)
        axes.set_xlabel("strength", fontsize=8)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)


def _badness(values: np.ndarray, better: str) -> np.ndarray:
    """How bad values [S] are, in a direction of scorecards; the first is that of real images."""
    if better == "like real":
        return np.abs(values - values[0])
    return values if better == "lower" else -values


def _draw_pictures(axes: Axes, name: str, images: np.ndarray, strengths: Sequence[float]) -> None:
    grid = np.asarray(make_grid(images, columns=len(images), scale=1).convert("RGB"))
    axes.imshow(grid, interpolation="nearest")
    step = grid.shape[1] / len(strengths)
    axes.set_xticks(
        [step * (i + 0.5) for i in range(len(strengths))],
        [f"{strength:g}" for strength in strengths],
        fontsize=7,
    )
    axes.set_yticks([])
    axes.set_ylabel(name, fontsize=8, rotation=0, ha="right", va="center")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def corruption_curves(
    data: Dataset,
    *,
    corruptions: Sequence[str] | None = None,
    strengths: Sequence[float] = STRENGTHS,
    metrics: str | Sequence[str] = "fid,is",
    other: Dataset | None = None,
    n: int = 2_000,
    features: str = AUTO,
    seed: int = 0,
    device: str | torch.device = "cpu",
    progress: Callable[[str], None] = lambda message: None,
) -> CorruptionCurves:
    """Measure held-out images of a data set under corruptions of rising strength.

    Args:
        data: Real data, the training split; its test split is corrupted.
        corruptions: Names of corruptions of images; None takes all.
        strengths: Strengths in (0, 1], rising; 0 is added.
        metrics: Names of metrics that need no labels.
        other: Another data set of the same shape, whose images are mixed in, too.
        n: Images of each side, at most.
        features: Feature space by name, or "auto".
        seed: Decides every random draw.
        device: Where features are computed.
        progress: Called with a sentence before each corruption.

    Raises:
        UserError: Unknown names, strengths out of range, data of another shape, metrics that
            cannot be had of images alone.
    """
    check_seed(seed)
    levels = _strengths(strengths)
    held_out = data.load_split("test")
    count = min(n, len(held_out), len(data))
    progress("making the feature space")
    evaluator = Evaluator(
        *(data, [item.name for item in chosen_metrics(metrics)]),
        n=count,
        features=features,
        device=device,
        seed=seed,
    )
    images = np.asarray(held_out.samples[draw(len(held_out), count, seed)])
    values: dict[str, dict[str, tuple[float, ...]]] = {}
    pictures: dict[str, np.ndarray] = {}
    cards = [evaluator(images)]
    for name, make in _makers(corruptions, other, images, seed).items():
        progress(f"measuring {name}")
        sets = [images, *(make(images, strength) for strength in levels[1:])]
        cards = [cards[0], *map(evaluator, sets[1:])]
        values[name] = {key: tuple(card[key] for card in cards) for key in cards[0]}
        pictures[name] = np.concatenate([corrupted[:_SHOWN] for corrupted in sets])
    better = {key: entry.better for key, entry in cards[0].entries.items()}
    if not better:
        raise UserError(f"Images alone give no {metrics}; choose from fid, is, kid and others.")
    label = evaluator.extractor.label
    return CorruptionCurves(data.name, count, label, levels, better, values, pictures)


_Make = Callable[[np.ndarray, float], np.ndarray]


def _makers(
    names: Sequence[str] | None, other: Dataset | None, images: np.ndarray, seed: int
) -> dict[str, _Make]:
    """From images and a strength to corrupted images, by corruption."""
    known = image_corruptions()
    chosen = known if names is None else names
    if unknown := [name for name in chosen if name not in known]:
        raise UserError(
            f"There is no corruption of images called {unknown[0]!r}; choose from "
            f"{', '.join(known)}."
        )
    made: dict[str, _Make] = {name: partial(_corrupted, name, seed) for name in chosen}
    if other is not None:
        check_alike(other.samples, images)
        foreign = np.asarray(other.samples)
        made[FOREIGN] = lambda whole, share: foreign_images(whole, foreign, share, seed)
    return made


def _corrupted(name: str, seed: int, images: np.ndarray, strength: float) -> np.ndarray:
    return corrupt_images(name, images, strength, seed)


def _strengths(given: Sequence[float]) -> tuple[float, ...]:
    for strength in given:
        check_number("A strength", strength, 0, 1)
    return tuple(sorted({0.0, *map(float, given)}))
