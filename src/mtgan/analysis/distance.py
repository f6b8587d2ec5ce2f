"""Does a critic's estimate tell the Wasserstein distance that it stands for?

A WGAN's critic bounds the Wasserstein-1 distance from below: W(p, q) is the largest E_p[f] - E_q[f]
of all f with a slope of at most 1 (Arjovsky et al. 2017, eq. 2; thesis 3.0.5 and Figure 3.3, where
a distance is computed by hand). Here it is computed as well: between two sets of N images the
cheapest way to move the mass is a one-to-one assignment, which is found exactly (scipy's
linear_sum_assignment), at the Euclidean distance of pixels in [-1, 1].

At each checkpoint, on N held-out images and N samples of the generator as it is trained (not of its
average, which the critic has not seen), with labels of the held-out images: the critic's estimate,
its mean slope between the two sets, and the exact distance. Where the critic is told labels, mass
moves within equal labels alone.

Pitfalls: the exact distance of N images is above that of their distributions, in so many dimensions
by far, so the same between held-out and training images stands beside it: what is above that is the
generator's. A slope above 1 raises the estimate as much, and is divided out in `bound`.

N: images of each set; S: checkpoints.
"""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from torch import Tensor

from mtgan.analysis.base import Options, Result, Table, analysis, held_out_of, spread_rows
from mtgan.analysis.losses import rank_correlation
from mtgan.analysis.plots import BLUE, GREEN, ORANGE, SOFT, new_figure, tidy
from mtgan.data import Dataset
from mtgan.data.pixels import to_floats
from mtgan.errors import UserError
from mtgan.nets import evaluating
from mtgan.parts import OBJECTIVES
from mtgan.training import Run
from mtgan.training.batches import columns, draw_latents
from mtgan.training.folders import resume_command
from mtgan.training.game import Game

_BATCH = 250


@dataclass(frozen=True)
class Distance(Result):
    """A critic's estimates and exact distances, by checkpoint.

    Attributes:
        n: Images of each set.
        steps: Iterations of the checkpoints, but for 0.
        estimates: Mean score of held-out images less that of samples.
        slopes: Mean length of the score's gradient between them.
        bounds: Estimate, divided by the slope where that is above 1: what the critic shows that
            the distance is at least.
        exact: Wasserstein-1 distance of the two sets.
        real: The same of held-out and training images.
        correlation: Spearman's, of estimates and exact distances; None with fewer than three
            checkpoints, or where either is constant.
        share: The last bound as a share of the last exact distance.
    """

    n: int
    steps: list[int]
    estimates: list[float]
    slopes: list[float]
    bounds: list[float]
    exact: list[float]
    real: float
    correlation: float | None
    share: float

    @property
    def verdict(self) -> str:
        last = (
            f"After {self.steps[-1]:,} iterations the critic's estimate is {self.estimates[-1]:.3g}"
            f" at a slope of {self.slopes[-1]:.2f}, which shows {self.share:.0%} of the exact "
            f"distance of {self.n} images, {self.exact[-1]:.3g}; real images are {self.real:.3g} "
            "from each other."
        )
        if self.correlation is None:
            return f"{last} Too few checkpoints to say whether the two go together."
        goes = "goes" if self.correlation > 0.5 else "does not go"
        return (
            f"The estimate {goes} with the exact distance: rank correlation "
            f"{self.correlation:+.2f} over {len(self.steps)} checkpoints. {last}"
        )

    def table(self) -> Table:
        names = ("iterations", "estimate", "slope", "bound", "exact distance")
        rows = zip(self.steps, self.estimates, self.slopes, self.bounds, self.exact, strict=True)
        return Table(names, [*rows, ("real images", None, None, None, self.real)])

    def figure(self) -> Figure:
        figure = new_figure(9, 4, self.verdict)
        over, against = figure.subplots(1, 2)
        over.plot(self.steps, self.exact, "o-", color=ORANGE, markersize=3, label="exact")
        over.plot(self.steps, self.bounds, "o-", color=BLUE, markersize=3, label="critic's bound")
        over.axhline(self.real, color=GREEN, linestyle="--", label="exact, of real images")
        over.legend(fontsize=7, frameon=False)
        tidy(over, "Wasserstein distance in pixels", "iterations")
        against.plot(self.exact, self.estimates, "o-", color=SOFT, markersize=3)
        tidy(against, "checkpoint by checkpoint", "exact distance", "critic's estimate")
        return figure


def exact_distance(
    first: np.ndarray,
    second: np.ndarray,
    labels: tuple[np.ndarray, np.ndarray] | None = None,
) -> float:
    """The Wasserstein-1 distance of two sets of as many points [N, D], each of mass 1 / N, at the
    Euclidean distance.

    labels: of both, [N, L], where mass moves within equal rows alone; they need the same rows, in
    any order.
    """
    cost = cdist(first, second)
    if labels is not None:
        apart = (labels[0][:, None] != labels[1][None]).any(2)
        cost[apart] += 1 + len(cost) * cost.max()  # more than all that could be saved by it
    return float(cost[linear_sum_assignment(cost)].mean())


def distance(run: Run, n: int = 500, seed: int = 0) -> Distance:
    """The critic's estimate and the exact distance at every checkpoint of a run.

    Raises:
        UserError: A loss whose scores estimate no distance; no checkpoint of a trained critic; or
            data that are no longer to be found.
    """
    recipe = run.recipe
    if not OBJECTIVES.get(recipe.objective).critic:
        raise UserError(
            f"{run.path} was trained with the loss {recipe.objective}, whose scores estimate no "
            "distance; ask a run of a critic, as of the recipe wgan-gp."
        )
    if not [step for step in run.steps if step]:
        raise UserError(
            f"{run.path} has no checkpoint of a trained critic yet; train on by "
            f"{resume_command(run.path)}"
        )
    unseen, known = held_out_of(run), run.load_data()
    n = min(n, len(unseen), len(known))
    held_out = unseen.select(spread_rows(len(unseen), n, seed))
    info = run.game(run.steps[-1]).dataset_info
    rows = info.rows_of(held_out.labels, held_out.numbers)
    told = recipe.discriminator.conditioning != "none"
    training = known.select(_alike(known, held_out, seed) if told else _any(known, n, seed))
    labels = (rows, rows) if told else None
    random = torch.Generator().manual_seed(seed)
    latents = draw_latents(n, recipe.latent.dim, recipe.latent.distribution, random)
    drawn = run.asking().draw(n, random)
    asked = torch.where(torch.from_numpy(rows) >= 0, torch.from_numpy(rows), drawn)
    real = to_floats(held_out.samples)
    steps, estimates, slopes, exact = [], [], [], []
    for step, game in run.games():
        if not step:
            continue
        made = _samples(game, run.twin_name, latents, asked)
        estimate, slope = _judged(game, run.twin_name, real, made, asked)
        steps.append(step)
        estimates.append(estimate)
        slopes.append(slope)
        exact.append(exact_distance(_flat(real), _flat(made), labels))
    bounds = [estimate / max(1.0, slope) for estimate, slope in zip(estimates, slopes, strict=True)]
    return Distance(
        n=n,
        steps=steps,
        estimates=estimates,
        slopes=slopes,
        bounds=bounds,
        exact=exact,
        real=exact_distance(_flat(real), _flat(to_floats(training.samples)), labels),
        correlation=rank_correlation(np.array(estimates), np.array(exact)),
        share=bounds[-1] / exact[-1],
    )


@analysis(
    "distance",
    "a critic's estimate against the exact Wasserstein distance",
    takes=("n", "seed", "twin"),
    least=16,
)
def of_run(run: Run, options: Options) -> Distance:
    return distance(run, options.count(500), options.seed)


def _any(data: Dataset, count: int, seed: int) -> np.ndarray:
    return spread_rows(len(data), count, seed + 1)


def _alike(data: Dataset, wanted: Dataset, seed: int) -> np.ndarray:
    """Rows of data with the labels of the wanted samples, one for each."""
    random = np.random.default_rng(seed + 1)
    places: dict[tuple[int, ...], np.ndarray] = {}
    for row in set(map(tuple, wanted.labels.tolist())):
        places[row] = np.flatnonzero((data.labels == row).all(1))
        if not len(places[row]):
            raise UserError(
                f"No training sample has the labels {row} of a held-out one, and the critic is "
                "told labels; give a run whose two splits have the same classes."
            )
    return np.array([random.choice(places[tuple(row)]) for row in wanted.labels.tolist()])


def _samples(game: Game, twin: str | None, latents: Tensor, rows: Tensor) -> Tensor:
    """Floats [N, C, H, W] as training makes them: by the statistics of a batch."""
    generator = copy.deepcopy(game.twin(twin).generator).train()
    levels = game.dataset_info.taxonomy.levels
    with torch.no_grad():
        parts = [
            generator(z, columns(y, levels))
            for z, y in zip(latents.split(_BATCH), rows.split(_BATCH), strict=True)
        ]
    return torch.cat(parts)


def _judged(
    game: Game, twin: str | None, real: Tensor, made: Tensor, rows: Tensor
) -> tuple[float, float]:
    """The critic's estimate, and its mean slope at the middle between each two images."""
    levels = game.dataset_info.taxonomy.levels
    gaps, slopes = [], []
    with evaluating(game.twin(twin).discriminator) as critic:
        for x, y, row in zip(*(part.split(_BATCH) for part in (real, made, rows)), strict=True):
            labels = columns(row, levels)
            between = torch.lerp(x, y, 0.5).requires_grad_(True)
            (slope,) = torch.autograd.grad(critic.score(between, labels).sum(), between)
            slopes.append(slope.flatten(1).norm(dim=1))
            with torch.no_grad():
                gaps.append(critic.score(x, labels) - critic.score(y, labels))
    return float(torch.cat(gaps).double().mean()), float(torch.cat(slopes).double().mean())


def _flat(images: Tensor) -> np.ndarray:
    return images.flatten(1).double().numpy()
