"""Products of a matrix with its own transpose, at little more than half the work."""

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
