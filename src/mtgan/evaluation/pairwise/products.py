"""Products of which half is known beforehand, at little more than half the work."""

import torch
from torch import Tensor

PANEL = 320
"""Columns below which halving again costs more than it saves."""


def add_symmetric(total: Tensor, points: Tensor) -> None:
    """Add points' points, of points [N, D], to `total` [D, D], but for what `mirror` fills in."""
    half = points.shape[1] // 2
    if points.shape[1] <= PANEL:
        total.addmm_(points.T, points)
        return
    left, right = points[:, :half], points[:, half:]
    add_symmetric(total[:half, :half], left)
    add_symmetric(total[half:, half:], right)
    total[half:, :half].addmm_(right.T, left)


def mirror(total: Tensor) -> Tensor:
    """`total` [D, D] itself, made symmetric after `add_symmetric`."""
    half = len(total) // 2
    if len(total) > PANEL:
        mirror(total[:half, :half])
        mirror(total[half:, half:])
        total[:half, half:] = total[half:, :half].T
    return total


def symmetric_product(points: Tensor) -> Tensor:
    """points' points [D, D], of points [N, D]."""
    total = points.new_zeros(points.shape[1], points.shape[1])
    add_symmetric(total, points)
    return mirror(total)


def triangular_product(points: Tensor, upper: Tensor, into: Tensor | None = None) -> Tensor:
    """points upper' [N, D], of points [N, D] and an upper triangular matrix [D, D]."""
    into = points.new_empty(points.shape) if into is None else into
    half = len(upper) // 2
    if len(upper) <= PANEL:
        return torch.mm(points, upper.T, out=into)
    left, right = points[:, :half], points[:, half:]
    triangular_product(left, upper[:half, :half], into[:, :half])
    triangular_product(right, upper[half:, half:], into[:, half:])
    into[:, :half].addmm_(right, upper[:half, half:].T)
    return into
