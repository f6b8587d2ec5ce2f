"""Strengths of several models from choices between two (Bradley & Terry 1952).

P(i is chosen over j) = 1 / (1 + exp(-(s_i - s_j) - b)), where b, the pull of a side, counts for
whichever stands at the left, and against it at the right (Davidson & Beaver 1977). Fitted by
maximum likelihood; variances by clusters of raters and of stimuli (mtgan.surveys.estimates).
Strengths sum to 0.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse, stats

from mtgan.surveys.estimates import Interval, degrees, quantile, variance
from mtgan.surveys.table import Answers

_STEPS, _CLOSE = 100, 1e-10


@dataclass(frozen=True)
class Strengths:
    """Attributes:
    names, values, intervals: The models, and their strengths on the scale of log odds.
    side: The pull of the left side, on the same scale; with its interval, and p of none.
    """

    names: tuple[str, ...]
    values: tuple[float, ...]
    intervals: tuple[Interval | None, ...]
    side: float
    side_interval: Interval | None
    side_p: float


def strengths(rows: Answers) -> Strengths | None:
    """The strengths of all that is shown in rows of pairs.

    None where they are not finite: where some were never chosen over any of the others (Ford 1957).
    """
    names = rows.judged
    places = np.full(len(rows.names), -1)
    places[[rows.names.index(name) for name in names]] = np.arange(len(names))
    first, second = places[rows.arms[:, 0]], places[rows.arms[:, 1]]
    if not _connected(first, second, rows.outcome, len(names)):
        return None
    design = np.zeros((len(rows), len(names) + 1))
    design[np.arange(len(rows)), first] = 1
    design[np.arange(len(rows)), second] = -1
    left = (rows.outcome == 1) != rows.flipped
    if not left.all() and left.any():  # else no finite pull explains it
        design[:, -1] = np.where(rows.flipped, -1.0, 1.0)
    fitted, bread = _fit(design, rows.outcome)
    influence = (design * (rows.outcome - _share(design @ fitted))[:, None]) @ bread
    spread = np.array([variance(one, rows.rater, rows.stimulus) for one in influence.T])
    free = degrees(rows)
    half = quantile(rows) * np.sqrt(spread) if free else np.full(len(fitted), np.inf)
    intervals = [
        (float(value - reach), float(value + reach)) if free else None
        for value, reach in zip(fitted, half, strict=True)
    ]
    pull = abs(fitted[-1]) / np.sqrt(spread[-1]) if spread[-1] > 0 else 0.0
    p = float(2 * stats.t.sf(pull, free)) if free else 1.0
    values = tuple(map(float, fitted[:-1]))
    return Strengths(names, values, tuple(intervals[:-1]), float(fitted[-1]), intervals[-1], p)


def _fit(design: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Newton's method from 0; the coefficients and the inverse of the information.

    The pseudo-inverse leaves the sum of strengths, which no choice tells, at 0.
    """
    fitted = np.zeros(design.shape[1])
    bread = np.zeros((len(fitted), len(fitted)))
    for _ in range(_STEPS):
        expected = _share(design @ fitted)
        weights = expected * (1 - expected)
        bread = np.linalg.pinv(design.T @ (design * weights[:, None]), rcond=1e-9, hermitian=True)
        step = bread @ (design.T @ (chosen - expected))
        fitted = fitted + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < _CLOSE:
            break
    return fitted, bread


def _share(log_odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(log_odds, -50, 50)))


def _connected(first: np.ndarray, second: np.ndarray, chosen: np.ndarray, count: int) -> bool:
    """Whether from each model a chain of choices leads to every other one."""
    winner, loser = np.where(chosen == 1, (first, second), (second, first))
    graph = sparse.coo_array((np.ones(len(winner)), (winner, loser)), shape=(count, count))
    parts, _ = sparse.csgraph.connected_components(graph, directed=True, connection="strong")
    return parts == 1
