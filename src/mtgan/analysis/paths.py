"""Paths between latents or labels: how long, how steep, and whether they jump.

Along each path the steepest step is halved again and again, and always the steeper half is kept. A
smooth path flattens out; a jump keeps its height however near its two sides come.

N: latents; Z: their size; P: paths; S: steps.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import beta
from torch import Tensor

from mtgan.analysis.base import (
    Images,
)

Make = Callable[[Tensor, Tensor], Images]
"""Latents [N, Z] and label rows [N, L] to images uint8 [N, C, H, W]."""


Embed = Callable[[Images], np.ndarray]
"""Images [N, C, H, W] to features [N, D]."""
REACH = {"normal": 2.5, "uniform": 1.0}
"""From how far below zero to how far above a latent dimension is moved (thesis, 5.0.7)."""
FRAMES = 11
"""Pictures of a path."""
STEPS = 32
HALVINGS = 6
JUMP_KEPT = 0.5
"""A step that keeps more than this share of its height after all halvings is a jump ..."""
JUMP_HEIGHT = 0.25
"""... if it was higher than this share of the median distance between two random samples."""


@dataclass(frozen=True)
class Paths:
    """P paths, each walked in S steps.

    Attributes:
        lengths: Sum of the steps' distances, by path, over the typical distance.
        perceptual_path_length: Mean squared distance over the squared step 1 / S.
        typical: Median feature distance between two random samples.
        heights: Largest step by path, over `typical`.
        kept: What is left of that step's height after halving it `HALVINGS` times.
        jumps: Rows of the paths that jump.
        most_jumping: Upper end of the 95 % Clopper-Pearson interval of the share that jumps.
    """

    lengths: np.ndarray
    perceptual_path_length: float
    typical: float
    heights: np.ndarray
    kept: np.ndarray
    jumps: list[int]
    most_jumping: float


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """[S, Z] on the great circle from a [Z] to b [Z] (White 2016), straight where they are
    parallel; t [S] in [0, 1]."""
    cosine = (a @ b / (a.norm() * b.norm()).clamp_min(1e-12)).clamp(-1, 1)
    angle = torch.arccos(cosine)
    t = t[:, None]
    if torch.sin(angle) < 1e-4:
        return (1 - t) * a + t * b
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


At = Callable[[Tensor, Tensor], np.ndarray]
"""Places t [N] in [0, 1] on paths [N] to the features [N, D] of the images there."""


def walk(make: Make, latents: Tensor, rows: Tensor, embedding: Embed) -> Paths:
    """Spherical paths from each latent [N, Z] to the next, the last to the first."""
    ends = latents.roll(-1, dims=0)
    count = len(latents)

    def at(t: Tensor, which: Tensor) -> np.ndarray:
        points = [slerp(latents[i], ends[i], x[None])[0] for i, x in zip(which, t, strict=True)]
        return embedding(make(torch.stack(points), rows[which]))

    features = sampled(at, count)
    apart = features[:, 0] - np.roll(features[:, 0], count // 2, axis=0)
    return examined(at, features, typical_distance(apart))


def typical_distance(apart: np.ndarray) -> float:
    """Median length of differences [N, D] of random samples' features; 1 where all are alike."""
    return float(np.median(np.linalg.norm(apart, axis=1))) or 1.0


def sampled(at: At, count: int) -> np.ndarray:
    """Features float64 [P, S + 1, D] on so many paths, at equal distances from end to end."""
    grid = torch.linspace(0, 1, STEPS + 1).repeat(count)
    features = at(grid, torch.arange(count).repeat_interleave(STEPS + 1))
    return features.astype(np.float64).reshape(count, STEPS + 1, -1)


def examined(at: At, features: np.ndarray, typical: float) -> Paths:
    """What is found on paths of these features [P, S + 1, D]."""
    steps = np.linalg.norm(np.diff(features, axis=1), axis=2)
    first = steps.max(axis=1)
    last = _halve(at, steps.argmax(axis=1), features)
    heights, kept = first / typical, last / np.maximum(first, np.finfo(float).tiny)
    jumps = np.flatnonzero((heights > JUMP_HEIGHT) & (kept > JUMP_KEPT)).tolist()
    return Paths(
        lengths=steps.sum(axis=1) / typical,
        perceptual_path_length=float((steps**2).mean() * STEPS**2),
        typical=typical,
        heights=heights,
        kept=kept,
        jumps=jumps,
        most_jumping=_upper_share(len(jumps), len(features)),
    )


def _halve(at: At, steepest: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Height [P] of each path's steepest step after halving it, the steeper half kept."""
    which = torch.arange(len(steepest))
    low = torch.from_numpy(steepest / STEPS)
    high = low + 1 / STEPS
    below, above = features[which, steepest], features[which, steepest + 1]
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        between = at(middle.float(), which).astype(np.float64)
        left = np.linalg.norm(between - below, axis=1)
        lower = left >= np.linalg.norm(above - between, axis=1)
        keep = torch.from_numpy(lower)
        low, high = torch.where(keep, low, middle), torch.where(keep, middle, high)
        below = np.where(lower[:, None], below, between)
        above = np.where(lower[:, None], between, above)
    return np.linalg.norm(above - below, axis=1)


def no_jump(paths: Paths, what: str = "paths") -> str:
    """Whether any path jumps, in a sentence."""
    count, total = len(paths.jumps), len(paths.kept)
    if count:
        return (
            f"{count} of {total} {what} jump: images change at once between latents "
            f"{1 / (STEPS * 2**HALVINGS):.1g} of the path apart, as where a generator has "
            "memorized its training images."
        )
    return (
        f"No discrete jump on {total} {what} (with 95 % confidence fewer than "
        f"{paths.most_jumping:.0%} of paths have one)."
    )


def _upper_share(hits: int, total: int) -> float:
    """Upper end of the two-sided 95 % Clopper-Pearson interval; one-sided where nothing hit."""
    level = 0.975 if hits else 0.95
    return 1.0 if hits == total else float(beta.ppf(level, hits + 1, total - hits))
