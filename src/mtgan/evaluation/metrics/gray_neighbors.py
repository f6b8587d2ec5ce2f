"""Nearest training images by gray pixels.

Definition: images become luma (0.299 R + 0.587 G + 0.114 B; one channel stays as it is), and the
Euclidean distance to every training image, and to its mirror image, gives the nearest. With
held-out real images, each distance is also read against theirs: as a ratio to their median, and as
a copy when it lies below their 0.1 % quantile.

Range [0, inf), in gray levels of 0..255 summed in squares over the pixels. About the held-out
median is as real data; 0 is an exact copy.

Pitfalls: shifted, cropped or recolored copies are missed (see `authenticity` in feature space);
flat images are near everything.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.base import HELD_OUT, PIXELS, Outcome, Output, register_metric
from mtgan.evaluation.pairwise.arrays import Array, as_images
from mtgan.evaluation.pairwise.neighbors import nearest

LUMA = (0.299, 0.587, 0.114)
COPY_QUANTILE = 0.001


@dataclass(frozen=True, eq=False)
class GrayNeighbors:
    """The nearest training image of each sample.

    Attributes:
        distances: float64 [N].
        indices: int64 [N], into the training images.
        mirrored: bool [N], whether the mirror image is the nearer.
        ratio: Median of `distances` over that of held-out images; None without these.
        copies: Share of samples below the held-out images' 0.1 % quantile; None without these.
    """

    distances: Tensor
    indices: Tensor
    mirrored: Tensor
    ratio: float | None = None
    copies: float | None = None


def to_gray(images: Tensor) -> Tensor:
    """uint8 [N, C, H, W] -> float32 [N, H, W]."""
    if images.shape[1] == 1:
        return images[:, 0].float()
    if images.shape[1] != 3:
        raise UserError(f"Images have {images.shape[1]} channels: give gray (1) or RGB (3) ones.")
    gray = torch.zeros(images.shape[0], *images.shape[2:], device=images.device)
    for channel, weight in enumerate(LUMA):
        gray.add_(images[:, channel], alpha=weight)
    return gray


def _nearest(samples: Tensor, gray_train: Tensor, flips: bool) -> tuple[Tensor, Tensor, Tensor]:
    flat, train = to_gray(samples).flatten(1), gray_train.flatten(1)
    distances, indices = (found[:, 0] for found in nearest(flat, train))
    mirrored = torch.zeros_like(indices, dtype=torch.bool)
    if flips:
        turned = to_gray(samples.flip(3)).flatten(1)
        other, where = (found[:, 0] for found in nearest(turned, train))
        mirrored = other < distances
        distances = torch.minimum(distances, other)
        indices = torch.where(mirrored, where, indices)
    return distances, indices, mirrored


def gray_neighbors(
    samples: Array, train: Array, held_out: Array | None = None, flips: bool = True
) -> GrayNeighbors:
    """Nearest of the training images uint8 [N, C, H, W] to each sample.

    Args:
        held_out: Real images that were not trained on, to read the distances against.
        flips: Whether mirror images count.

    Raises UserError for other types, and for images of different size or channels.
    """
    images = as_images(samples, "samples")
    sets = [as_images(train, "train")]
    if held_out is not None:
        sets.append(as_images(held_out, "held_out"))
    for name, other in zip(("train", "held_out"), sets, strict=False):
        if other.shape[1:] != images.shape[1:]:
            raise UserError(
                f"samples are {tuple(images.shape[1:])} and {name} {tuple(other.shape[1:])} "
                "(channels, height, width): bring them to one size."
            )
    gray_train = to_gray(sets[0].to(images.device))
    found = _nearest(images, gray_train, flips)
    if held_out is None:
        return GrayNeighbors(*found)
    usual = _nearest(sets[1].to(images.device), gray_train, flips)[0]
    median = float(usual.median())
    if median == 0:
        raise UserError("Most held-out images are copies of training images: give unseen ones.")
    limit = usual.quantile(COPY_QUANTILE)
    return GrayNeighbors(
        *found,
        ratio=float(found[0].median()) / median,
        copies=float((found[0] < limit).double().mean()),
    )


@register_metric(
    "gray_neighbors",
    Output("pixel_copies", "lower", range=(0, 1)),
    Output("pixel_distance_ratio", "like real", range=(0, math.inf)),
    slow=True,
    needs=HELD_OUT,
    space=PIXELS,
    source="nearest training image by gray pixels, mirrored too",
    function=gray_neighbors,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Nearest training image by gray pixels or their mirror image, beside that of unseen images."""
    context = comparison.context
    assert context.held_out is not None
    found = gray_neighbors(
        comparison.generated.images, context.training.images, context.held_out.images
    )
    assert found.copies is not None
    assert found.ratio is not None
    return Outcome({"pixel_copies": found.copies, "pixel_distance_ratio": found.ratio})
