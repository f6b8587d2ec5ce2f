"""What every measure asks of its arrays, checked in one place.

Legend: N samples, D features, K classes, C channels, H x W pixels.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from mtgan.errors import UserError

Array: TypeAlias = np.ndarray | Tensor

WIDENED_ROWS = 256
"""Rows that are widened to float64 at once: they stay in the processor's cache."""

LARGEST = 1e39
"""Features beyond it (none in float32 is) would overflow the cubic kernel in float64."""


class SmallSampleWarning(UserWarning):
    """A measure was asked of fewer samples than it needs to be compared across sample sizes."""


def as_tensor(array: Array, name: str) -> Tensor:
    """A tensor that shares memory with `array` wherever it can, on the device of `array`.

    Devices without float64 (mps) give way to the CPU.
    """
    if isinstance(array, Tensor):
        return array.detach().cpu() if array.device.type == "mps" else array.detach()
    array = np.asarray(array)
    if array.dtype == object or array.dtype.kind not in "biuf":
        raise UserError(f"{name} must be an array of numbers, found dtype {array.dtype}.")
    if array.dtype == np.longdouble:
        array = array.astype(np.float64)
    return torch.from_numpy(np.require(array, requirements=["C", "W"]))


def as_features(array: Array, name: str, minimum: int = 2) -> Tensor:
    """Features [N, D], float32 or float64, finite, N >= `minimum`."""
    points = as_tensor(array, name)
    if points.ndim != 2 or points.shape[1] == 0:
        raise UserError(
            f"{name} must be features [N, D], found shape {tuple(points.shape)}: "
            "flatten each sample to one row."
        )
    if points.shape[0] < minimum:
        raise UserError(
            f"{name} has {points.shape[0]} rows, this measure needs at least {minimum}: "
            "give more samples."
        )
    if points.is_complex():
        raise UserError(f"{name} must be real numbers, found dtype {points.dtype}.")
    if points.dtype not in (torch.float32, torch.float64):
        wide = points.dtype in (torch.int32, torch.int64)
        points = points.to(torch.float64 if wide else torch.float32)
    lowest, highest = points.aminmax()  # NaN when any is
    if not bool((lowest >= -LARGEST) & (highest <= LARGEST)):
        row = int((~(points.abs() <= LARGEST)).any(dim=1).nonzero()[0, 0])
        raise UserError(
            f"{name} holds NaN, infinite or huge values (first in row {row}): "
            "look for a diverged generator or a broken extractor."
        )
    return points


def as_feature_pair(
    samples: Array, reference: Array, minimum: int = 2, names: tuple[str, str] | None = None
) -> tuple[Tensor, Tensor]:
    """Two feature sets of one width, on the device of the first, each with `minimum` rows."""
    first, second = names or ("samples", "reference")
    left, right = as_features(samples, first, minimum), as_features(reference, second, minimum)
    if left.shape[1] != right.shape[1]:
        raise UserError(
            f"{first} have {left.shape[1]} features and {second} {right.shape[1]}: "
            "take both from the same feature extractor."
        )
    return left, right.to(left.device)


def column_means(points: Tensor) -> Tensor:
    """Mean of points [N, D], float64 [D], without a copy of them in float64."""
    parts = [block.double().sum(dim=0) for block in points.split(WIDENED_ROWS)]
    return torch.stack(parts).sum(dim=0) / len(points)


def row_norms(points: Tensor) -> Tensor:
    """Lengths of points [N, D], float64 [N], without a copy of them in float64."""
    blocks = (block.double() for block in points.split(WIDENED_ROWS))
    return torch.cat([torch.linalg.vector_norm(block, dim=1) for block in blocks])


def positive_norms(points: Tensor, name: str) -> Tensor:
    """The same; UserError where one is zero."""
    norms = row_norms(points)
    if bool((norms == 0).any()):
        row = int((norms == 0).nonzero()[0, 0])
        raise UserError(f"Row {row} of {name} is all zero and has no direction: leave it out.")
    return norms


def as_labels(array: Array, name: str, count: int | None = None) -> Tensor:
    """Integer labels [N], int64 on the CPU; `count` is the N they must have."""
    labels = as_tensor(array, name)
    if labels.is_floating_point() and bool((labels == labels.round()).all()):
        labels = labels.long()
    if labels.ndim != 1 or labels.is_floating_point() or labels.is_complex():
        raise UserError(
            f"{name} must be integer labels [N], found {labels.dtype} of shape "
            f"{tuple(labels.shape)}: give one class index per sample."
        )
    if len(labels) == 0:
        raise UserError(f"{name} is empty: give one class index per sample.")
    if count is not None and len(labels) != count:
        raise UserError(f"{name} has {len(labels)} entries for {count} samples: give one for each.")
    return labels.long().cpu()


def known_labels(predicted: Array, requested: Array) -> tuple[Tensor, Tensor]:
    """Classes predicted and requested, int64 [n] each, of the samples [N] with a requested one."""
    wanted = as_labels(requested, "requested")
    guesses = as_labels(predicted, "predicted", len(wanted))
    known = wanted >= 0
    if not bool(known.any()):
        raise UserError("requested names no class: all labels are negative.")
    return guesses[known], wanted[known]


def as_images(array: Array, name: str, minimum: int = 1) -> Tensor:
    """Images uint8 [N, C, H, W]."""
    images = as_tensor(array, name)
    if images.ndim != 4 or images.dtype != torch.uint8:
        raise UserError(
            f"{name} must be uint8 images [N, C, H, W], found {images.dtype} of shape "
            f"{tuple(images.shape)}: quantize to 0..255 and put the channels second."
        )
    if images.shape[0] < minimum:
        raise UserError(
            f"{name} has {images.shape[0]} images, this measure needs at least {minimum}: "
            "give more."
        )
    return images


def positive(value: int, name: str, minimum: int = 1) -> int:
    """`value` when it is an integer of at least `minimum`, else a UserError."""
    if int(value) != value or value < minimum:
        raise UserError(f"{name} must be an integer of at least {minimum}, found {value}.")
    return int(value)


def at_least_zero(value: float, scale: float) -> float:
    """`value`, or 0 where rounding of terms of size `scale` has pushed it below."""
    assert value >= -1e-6 * scale, f"a distance came out as {value} from terms of {scale}"
    return max(value, 0.0)


def warn_few(message: str) -> None:
    """A SmallSampleWarning that points at the caller of the public function."""
    warnings.warn(message, SmallSampleWarning, stacklevel=3)


@contextmanager
def full_precision() -> Iterator[None]:
    """float32 products in true float32, whatever speed setting the training code has chosen."""
    chosen = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(chosen)
