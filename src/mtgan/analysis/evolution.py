"""The same latents over all checkpoints, with the nearest training image of the last (Figure 5.13
of the thesis), a row for each latent.

N: latents; S: checkpoints.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from matplotlib.figure import Figure

from mtgan.analysis.base import SHOWN_ONLY, Images, Options, Result, Table, analysis
from mtgan.analysis.nearest_images import nearest_by_gray
from mtgan.analysis.plots import new_figure, show_grid
from mtgan.errors import UserError
from mtgan.training import Run
from mtgan.training.batches import draw_latents
from mtgan.training.folders import resume_command
from mtgan.training.generation import generate

SHOWN = 14
"""Checkpoints in the picture, at most: the first, the last, and others between them."""


def log_spread(steps: Sequence[int], count: int) -> list[int]:
    """Indices of at most `count` of rising iterations [S]: all, or the first, the last, and those
    nearest to equal ratios between them (of 1 + the iteration, which may be 0)."""
    if len(steps) <= count:
        return list(range(len(steps)))
    places = np.log1p(np.asarray(steps, dtype=float))
    chosen = {len(steps) - 1}
    for place in np.linspace(places[0], places[-1], count)[:-1]:
        left = [i for i in range(len(steps)) if i not in chosen]
        chosen.add(min(left, key=lambda i: abs(places[i] - place)))
    return sorted(chosen)


@dataclass(frozen=True)
class Evolution(Result):
    """Samples of fixed latents by checkpoint.

    Attributes:
        steps: Iterations of the checkpoints.
        changes: Root mean square change of the pixels (0..255) since the checkpoint before;
            the first is None.
        distances: Median gray-pixel distance to the nearest training image, by checkpoint.
        samples: uint8 [S, N, C, H, W].
        nearest: Nearest training image of each last sample, uint8 [N, C, H, W].
    """

    steps: list[int]
    changes: list[float | None]
    distances: list[float]
    samples: Images = field(repr=False, metadata=SHOWN_ONLY)
    nearest: Images = field(repr=False, metadata=SHOWN_ONLY)

    @property
    def verdict(self) -> str:
        if len(self.steps) < 2:
            return (
                "There is one checkpoint, and so no evolution; keep more with "
                "--set 'training.snapshots={first: 200}'."
            )
        last = self.changes[-1]
        return (
            f"{len(self.steps)} checkpoints, from {self.steps[0]:,} to {self.steps[-1]:,} "
            f"iterations; between the last two, pixels changed by {last:.1f} of 255 (root mean "
            "square)."
        )

    def table(self) -> Table:
        rows = zip(self.steps, self.changes, self.distances, strict=True)
        return Table(("iterations", "change", "distance to nearest training image"), list(rows))

    def figure(self) -> Figure:
        chosen = log_spread(self.steps, SHOWN)
        columns = np.concatenate([self.samples[chosen], self.nearest[None]])
        heads = [f"{self.steps[i]:,}" for i in chosen] + ["nearest"]
        count = self.samples.shape[1]
        figure = new_figure(0.9 * len(heads) + 0.5, 0.9 * count + 0.8, self.verdict)
        images = columns.swapaxes(0, 1).reshape(-1, *self.samples.shape[2:])
        show_grid(figure.subplots(), images, len(heads), heads=heads)
        return figure


def evolution(run: Run, count: int = 8, seed: int = 0) -> Evolution:
    """Samples of `count` fixed latents (and labels) from every checkpoint of a run.

    Raises:
        UserError: No checkpoint, or training data that are no longer to be found.
    """
    if not run.steps:
        raise UserError(
            f"{run.path} has no complete checkpoint yet; train on by {resume_command(run.path)}"
        )
    random = torch.Generator().manual_seed(seed)
    rows = run.asking().draw(count, random)
    latents = draw_latents(count, run.recipe.latent.dim, run.recipe.latent.distribution, random)
    made = {step: generate(game, latents, rows, twin=run.twin_name) for step, game in run.games()}
    samples = np.stack(list(made.values()))
    train = run.load_data().samples
    found = [nearest_by_gray(drawn, train) for drawn in samples]
    moves = np.sqrt(np.square(np.diff(samples.astype(float), axis=0)).mean(axis=(1, 2, 3, 4)))
    return Evolution(
        steps=list(made),
        changes=[None, *moves.tolist()],
        distances=[float(np.median(near.distances)) for near in found],
        samples=samples,
        nearest=np.asarray(train[found[-1].indices]),
    )


@analysis(
    "evolution",
    "fixed latents over all checkpoints, and the last's nearest neighbor",
    takes=("n", "seed", "twin"),
)
def of_run(run: Run, options: Options) -> Evolution:
    return evolution(run, options.count(8), options.seed)
