"""Blocks of distances between large sets: float32 products first, float64 where they decide.

Blocks of squared distances come from float32 matrix products of centered and scaled points.
Whatever is reported is then recomputed from differences in float64: neighbor distances always,
and ball membership wherever float32 cannot tell inside from outside. So results equal those of a
float64 N x N matrix, without ever holding one. Kernel sums alone stay float32.

Distances are in units of the features. All sums are O(N M D) time and O(block^2 + N k) memory.

Legend: M samples, N reference points, D features, r x c a block.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from mtgan.evaluation.pairwise.arrays import WIDENED_ROWS, column_means
from mtgan.evaluation.pairwise.products import symmetric_product

TIE = 1e-12
"""Squared distances that differ by less than this share are equal."""

REFINE_ELEMENTS = 1 << 15
"""Elements of the differences that are held at once while refining: they stay in the cache."""

LARGEST_CUBED = 1e5
"""Features below this have kernels whose sums over a few rows fit float32."""

COMPARED_ROWS = 128
"""Rows of a block that are compared with limits at once, for the same reason."""


@dataclass(frozen=True, eq=False)
class Points:
    """A set made ready for float32 products: unit = (exact - center) / scale."""

    exact: Tensor
    unit: Tensor
    norms: Tensor
    center: Tensor
    scale: float

    def __len__(self) -> int:
        return len(self.exact)

    @cached_property
    def slack(self) -> Tensor:
        """By how much float32 may err in a squared distance, per point of the pair."""
        accumulated = 8 + self.unit.shape[1] ** 0.5
        return self.norms * (accumulated * torch.finfo(torch.float32).eps)

    @cached_property
    def kernel_offset(self) -> Tensor:
        """What x . y / D needs on top of the product of units, for one point of the pair."""
        center = self.center.double()
        product = torch.cat([block.double() @ center for block in self.unit.split(WIDENED_ROWS)])
        return (product * self.scale + center @ center / 2) / len(center)

    @property
    def kernel_dtype(self) -> torch.dtype:
        """float32, unless sums of cubes of x . y / D may overflow it."""
        largest = self.scale + float(self.center.abs().max())
        return torch.float32 if largest < LARGEST_CUBED else torch.float64


def prepare(*sets: Tensor) -> list[Points]:
    """Both sets around the last one's mean, scaled into [-1, 1]."""
    narrowest = min((points.dtype for points in sets), key=lambda dtype: dtype.itemsize)
    center = column_means(sets[-1]).to(narrowest)
    shifted = [points - center.to(points.dtype) for points in sets]
    scale = max(abs(float(end)) for points in shifted for end in points.aminmax()) or 1.0
    prepared = []
    for points, moved in zip(sets, shifted, strict=True):
        unit = moved.div_(scale).float().contiguous()
        norms = torch.linalg.vector_norm(unit, dim=1).square()
        prepared.append(Points(points, unit, norms, center, scale))
    return prepared


def block_size(points: Tensor, block: int | None) -> int:
    return block or (2048 if points.device.type == "cpu" else 8192)


def row_blocks(count: int, block: int) -> list[slice]:
    return [slice(start, min(start + block, count)) for start in range(0, count, block)]


def unit_products(a: Points, rows: slice, b: Points, columns: slice) -> Tensor:
    """Products of units [r, c]."""
    if a is b and rows == columns:
        return symmetric_product(a.unit[rows].T)
    return a.unit[rows] @ b.unit[columns].T


def rank_two(rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Factors [r, 2] and [2, c] whose product is row + column, for one pass of `addmm`."""
    return (
        torch.stack([rows, torch.ones_like(rows)], dim=1),
        torch.stack([torch.ones_like(columns), columns]),
    )


def squared_distances(gram: Tensor, a: Points, rows: slice, b: Points, columns: slice) -> Tensor:
    """Squared distances of units, in place of their products."""
    return gram.addmm_(*rank_two(a.norms[rows], b.norms[columns]), beta=-2)


def exact_squared(a: Tensor, i: Tensor, b: Tensor, j: Tensor) -> Tensor:
    """Squared distances float64 [n] of the rows a[i] and b[j], from float64 differences."""
    parts = [torch.empty(0, dtype=torch.float64, device=a.device)]
    for span in row_blocks(len(i), max(1, REFINE_ELEMENTS // a.shape[1])):
        mine, theirs = i[span], j[span]
        if a.device.type == "cpu":  # numpy gathers and widens in half the time
            gap = a.numpy()[mine.numpy()].astype(np.float64)
            gap -= b.numpy()[theirs.numpy()]
            parts.append(torch.from_numpy(np.einsum("nd,nd->n", gap, gap)))
        else:
            parts.append((a[mine].double() - b[theirs]).square_().sum(dim=1))
    return torch.cat(parts)


def within(squared: Tensor, *limits: Tensor) -> tuple[Tensor, Tensor]:
    """Places (i, j) of a block [r, c] that are within any limit, [r, 1] or [c]."""
    limits = tuple(limit.expand_as(squared) for limit in limits)
    if squared.device.type != "cpu":
        near = torch.stack([squared <= limit for limit in limits]).any(dim=0)
        i, j = near.nonzero().T
        return i, j
    found, width = [], squared.shape[1]
    for part in row_blocks(len(squared), COMPARED_ROWS):  # numpy is several times faster here
        values = squared[part].numpy()
        mask = values <= limits[0][part].numpy()
        for limit in limits[1:]:
            mask |= values <= limit[part].numpy()
        found.append(np.flatnonzero(mask) + part.start * width)
    rows, columns = np.divmod(np.concatenate(found), width)
    return torch.from_numpy(rows), torch.from_numpy(columns)
