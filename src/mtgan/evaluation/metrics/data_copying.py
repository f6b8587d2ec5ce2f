"""Data-copying test: are samples closer to the training data than held-out real data are?

Definition (Meehan, Chaudhuri & Dasgupta 2020, "A non-parametric test to detect data-copying in
generative models", section 4): space is divided into cells by k-means on the training data. In
each cell, the distances to the nearest training point of that cell, of samples and of held-out
points, are compared by the Mann-Whitney U, as z = (U - mean) / standard deviation. C_T is the mean
of z over the cells that hold more than a share tau of the samples, weighted by the held-out points.

Range (-inf, inf): far below 0 is copying, about 0 is as real data, far above 0 is underfitting.
It grows with the square root of the sample count. No units.

Pitfalls: a *warning*, no verdict: blur moves samples towards the training data and gave -10.9
without any copy; few copies among many good samples hardly move it.
"""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.base import HELD_OUT, Outcome, Output, register_metric
from mtgan.evaluation.pairwise.arrays import Array, as_feature_pair, positive
from mtgan.evaluation.pairwise.neighbors import nearest
from mtgan.evaluation.pairwise.projections import principal_axes, project


@dataclass(frozen=True)
class DataCopying:
    """C_T (`value`), and z by cell; None in cells that hold too few points to be judged."""

    value: float
    by_cell: tuple[float | None, ...]

    def __float__(self) -> float:
        return self.value


def mann_whitney_z(first: np.ndarray, second: np.ndarray) -> float:
    """z of the number of pairs in which `first` is larger (ties count half), no correction."""
    from scipy.stats import rankdata  # slow to import

    m, n = len(first), len(second)
    u = rankdata(np.concatenate([first, second]))[:m].sum() - m * (m + 1) / 2
    return float((u - m * n / 2) / np.sqrt(m * n * (m + n + 1) / 12))


def data_copying_from_cells(
    samples: Tensor,
    train: Tensor,
    held_out: Tensor,
    sample_cells: np.ndarray,
    train_cells: np.ndarray,
    held_out_cells: np.ndarray,
    least_share: float,
) -> DataCopying:
    """C_T for a given division into cells 0, 1, ..."""
    scores: list[float | None] = []
    weights = []
    for cell in range(int(train_cells.max()) + 1):
        mine, base, theirs = (
            np.flatnonzero(cells == cell) for cells in (sample_cells, train_cells, held_out_cells)
        )
        judged = len(mine) > least_share * len(sample_cells) and len(theirs) > 0 and len(base) > 0
        if not judged:
            scores.append(None)
            continue
        near, usual = (
            nearest(points[rows], train[base])[0][:, 0].cpu().numpy()
            for points, rows in ((samples, mine), (held_out, theirs))
        )
        scores.append(mann_whitney_z(near, usual))
        weights.append(len(theirs))
    known = [score for score in scores if score is not None]
    if not known:
        raise UserError(
            "No cell holds enough samples and held-out points together: use fewer cells, "
            "or more samples."
        )
    return DataCopying(float(np.average(known, weights=weights)), tuple(scores))


def data_copying(
    samples: Array,
    train: Array,
    held_out: Array,
    cells: int = 3,
    dims: int | None = 64,
    least_share: float | None = None,
    seed: int = 0,
) -> DataCopying:
    """C_T of features `samples` [M, D] against `train` [N, D] and `held_out` [H, D].

    Args:
        cells: Number of k-means cells.
        dims: Principal axes of the training data that are looked at; None takes all features.
        least_share: tau; None takes 20 / M.
        seed: Seeds k-means.

    Raises UserError for NaN, different D, fewer training points than cells, and when no cell can
    be judged.
    """
    from sklearn.cluster import KMeans  # slow to import

    positive(cells, "cells")
    points, real = as_feature_pair(samples, train, 2, ("samples", "train"))
    _, fresh = as_feature_pair(points, held_out, 2, ("samples", "held_out"))
    if len(real) < cells:
        raise UserError(f"train has {len(real)} points, fewer than {cells} cells: give more.")
    sets = [points, real, fresh]
    if dims is not None and positive(dims, "dims") < real.shape[1]:
        axes = principal_axes(real, dims)
        sets = [project(points, *axes) for points in sets]
    arrays = [points.double().cpu().numpy() for points in sets]
    model = KMeans(cells, n_init=10, random_state=seed).fit(arrays[1])
    mine, base, theirs = (model.predict(points) for points in arrays)
    tau = 20 / len(points) if least_share is None else least_share
    return data_copying_from_cells(sets[0], sets[1], sets[2], mine, base, theirs, tau)


@register_metric(
    "data_copying",
    Output("data_copying", "like real"),
    slow=True,
    needs=HELD_OUT,
    source="Meehan et al. 2020 (a warning: blur sets it off too)",
    function=data_copying,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """C_T, a z value: far below that of real data warns of copies, and of blur as well."""
    context = comparison.context
    assert context.held_out is not None
    found = data_copying(
        comparison.generated.points,
        context.training.points,
        context.held_out.points,
        seed=context.seed,
    )
    judged = sum(score is not None for score in found.by_cell)
    notes = []
    if judged < len(found.by_cell):
        notes.append(
            f"data_copying is over {judged} of {len(found.by_cell)} cells; the others hold too few "
            "samples"
        )
    return Outcome({"data_copying": found.value}, notes=notes)
