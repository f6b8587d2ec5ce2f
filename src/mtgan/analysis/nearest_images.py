"""Nearest training images by gray pixels, under shifts and mirroring, and by features.

N: images; T: training images; K: neighbors.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mtgan.analysis.base import (
    Images,
)
from mtgan.evaluation.metrics.gray_neighbors import to_gray
from mtgan.evaluation.pairwise.neighbors import nearest

FOLLOWING = 20
"""Neighbors after the nearest whose mean distance is the scale."""
CHUNK = 20_000
"""Training images at a time: they may lie on a disk."""


@dataclass(frozen=True)
class Near:
    """Neighbors of N images: distance to the nearest, relative distance, and who it is."""

    distances: np.ndarray  # float64 [N]
    relative: np.ndarray  # float64 [N], over the mean distance to the following ones
    indices: np.ndarray  # int64 [N]


def nearest_by_gray(images: Images, train: Images) -> Near:
    """By luma, as the thesis does."""
    return _nearest_in_chunks([_gray(images).flatten(1)], train, lambda gray: gray.flatten(1))


def nearest_several(images: Images, train: Images, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Distances float64 [N, K] to the `count` nearest by luma (K is less where there are fewer),
    ascending, and which they are."""
    queries = _gray(images).flatten(1)
    distances = torch.empty(len(queries), 0, dtype=torch.float64)
    indices = torch.empty(len(queries), 0, dtype=torch.int64)
    for start in range(0, len(train), CHUNK):
        chunk = _gray(np.asarray(train[start : start + CHUNK])).flatten(1)
        found, where = nearest(queries, chunk, min(count, len(chunk)))
        distances = torch.cat([distances, found], dim=1)
        indices = torch.cat([indices, where + start], dim=1)
    order = distances.argsort(dim=1, stable=True)[:, :count]
    return distances.gather(1, order).numpy(), indices.gather(1, order).numpy()


def nearest_by_shift(images: Images, train: Images, shift: int) -> Near:
    """By luma of the middle, the image moved by up to `shift` pixels each way, and mirrored."""
    gray = _gray(images)
    height, width = gray.shape[1] - 2 * shift, gray.shape[2] - 2 * shift
    offsets = range(2 * shift + 1)
    windows = [
        view[:, dy : dy + height, dx : dx + width].flatten(1)
        for view in (gray, gray.flip(2))
        for dy in offsets
        for dx in offsets
    ]
    middle = 2 * shift * (shift + 1)
    windows.insert(0, windows.pop(middle))  # the unmoved one first: it sets the scale

    def center(other: Tensor) -> Tensor:
        return other[:, shift : shift + height, shift : shift + width].flatten(1)

    return _nearest_in_chunks(windows, train, center)


def nearest_by_features(features: np.ndarray, train: np.ndarray) -> Near:
    """By features [N, D] and [T, D]."""
    following = min(FOLLOWING + 1, len(train))
    distances, indices = nearest(features, train, following)
    return _near(distances[:, 0], indices[:, 0], distances)


def _nearest_in_chunks(queries: Sequence[Tensor], train: Images, prepare) -> Near:
    """The nearest over all queries of one image; the scale is that of the first query."""
    count = len(queries[0])
    best = torch.full((count,), torch.inf, dtype=torch.float64)
    where = torch.zeros(count, dtype=torch.int64)
    close = torch.empty(count, 0, dtype=torch.float64)
    for start in range(0, len(train), CHUNK):
        chunk = prepare(_gray(np.asarray(train[start : start + CHUNK])))
        for number, query in enumerate(queries):
            first = number == 0
            distances, indices = nearest(
                query, chunk, min(FOLLOWING + 1, len(chunk)) if first else 1
            )
            if first:
                close = torch.cat([close, distances], dim=1).sort(dim=1).values
                close = close[:, : FOLLOWING + 1]
            closer = distances[:, 0] < best
            best = torch.where(closer, distances[:, 0], best)
            where = torch.where(closer, indices[:, 0] + start, where)
    return _near(best, where, close)


def _near(best: Tensor, where: Tensor, close: Tensor) -> Near:
    scale = close[:, 1:].mean(dim=1) if close.shape[1] > 1 else torch.ones_like(best)
    relative = best / scale.clamp_min(torch.finfo(torch.float64).tiny)
    return Near(best.numpy(), relative.numpy(), where.numpy())


def _gray(images: Images) -> Tensor:
    """uint8 [N, C, H, W] -> float32 [N, H, W]."""
    return to_gray(torch.from_numpy(np.ascontiguousarray(images)))
