"""Multi-scale structural similarity of pairs of images, as a measure of diversity.

Definition of the similarity (Wang, Simoncelli & Bovik 2003, "Multiscale structural similarity for
image quality assessment", equation 7): the product over scales of the contrast-structure term to
the power of the scale's weight, and at the last scale of the luminance term too; window: a
Gaussian of 11 pixels and sigma 1.5, without padding; constants (0.01 L)^2 and (0.03 L)^2; scales
halved by averaging; negative terms count as zero; averaged over channels. It is taken in float64,
since variances are differences that cancel in flat regions.

Small images: the window shrinks to the image where it must (at sigma 1.5), and images of 32 pixels
or less have the first three scales, with the weights renormalized to sum to one. Their values do
not compare with those of larger images.

Definition of the diversity (Odena, Olah & Shlens 2017, "Conditional image synthesis with auxiliary
classifier GANs", section 4.2): the mean over random pairs within a class, 100 pairs in the paper,
at 128 pixels; a class is suspect when it is above the mean of the training images' class.

Range [0, 1]; *lower* is more diverse, the training images' own value is the mark, and below it is
no merit: noise scores 0. No units.
"""

from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.base import PIXELS, Outcome, Output, listed, register_metric
from mtgan.evaluation.pairwise.arrays import Array, as_images, as_labels, positive

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""As published: they sum to 1.0001."""

WINDOW = 11
SIGMA = 1.5
PEAK = 255
SMALL_SIDE = 32
SMALL_WEIGHTS = tuple(weight / sum(WEIGHTS[:3]) for weight in WEIGHTS[:3])
PIXELS_AT_ONCE = 1 << 18
"""Of either side: they stay in the processor's cache."""

TILE = 24
"""Pixels that the window is moved along in one product, of which the window fills a part."""


@dataclass(frozen=True)
class MsSsim:
    """Mean similarity over random pairs of all images (`value`), and within each class.

    Attributes:
        value: Over pairs of any class.
        per_class: By class index; empty without labels.
        mean: Mean over the classes; None without labels.
    """

    value: float
    per_class: dict[int, float]
    mean: float | None

    def __float__(self) -> float:
        return self.value


@cache
def _window(size: int, device: torch.device) -> Tensor:
    """The window as a banded matrix [TILE, TILE + size - 1]: products are faster than filters."""
    offsets = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    weights = torch.exp(-offsets.square() / (2 * SIGMA**2))
    matrix = torch.zeros(TILE, TILE + size - 1, dtype=torch.float64)
    for row in range(TILE):
        matrix[row, row : row + size] = weights / weights.sum()
    return matrix.to(device)


def _smooth(images: Tensor) -> Tensor:
    """[n, H, W] through the window along either side, tile by tile."""
    for dim in (2, 1):
        side = images.shape[dim]
        size = min(WINDOW, side)
        window, starts = _window(size, images.device), range(0, side - size + 1, TILE)
        smooth = []
        for start in starts:
            part = images.narrow(dim, start, min(TILE + size - 1, side - start))
            length = part.shape[dim]
            tile = window[: length - size + 1, :length]
            smooth.append(part @ tile.T if dim == 2 else tile @ part)
        images = torch.cat(smooth, dim)
    return images


def _term(a: Tensor, b: Tensor, *, luminance: bool) -> Tensor:
    """Mean contrast-structure term of channel images [n, H, W], times the luminance term or not."""
    c1, c2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
    moments = torch.cat([a, b, a * a + b * b, a * b])
    mean_a, mean_b, square, product = _smooth(moments).chunk(4)
    means, squares = mean_a * mean_b, mean_a.square() + mean_b.square()
    term = ((product - means) * 2 + c2) / (square - squares + c2)
    if luminance:
        term *= (2 * means + c1) / (squares + c1)
    return term.mean(dim=(1, 2))


def _similarity(a: Tensor, b: Tensor) -> Tensor:
    """float64 [n, C, H, W] of 0..255 -> [n]."""
    count, channels, height, width = a.shape
    weights = SMALL_WEIGHTS if min(height, width) <= SMALL_SIDE else WEIGHTS
    a, b = a.reshape(-1, height, width), b.reshape(-1, height, width)
    result = torch.ones(len(a), dtype=a.dtype, device=a.device)
    for scale, weight in enumerate(weights):
        if scale > 0:
            a, b = (
                F.avg_pool2d(images, 2, ceil_mode=True, count_include_pad=False)
                for images in (a, b)
            )
        term = _term(a, b, luminance=scale == len(weights) - 1)
        result = result * term.clamp_min(0).pow(weight)
    return result.view(count, channels).mean(dim=1)


def ms_ssim_pairs(a: Array, b: Array) -> Tensor:
    """Similarity of the i-th images of two sets uint8 [n, C, H, W], float64 [n].

    Raises UserError for other types, for sets of different shape and for sides below 8 pixels.
    """
    left, right = as_images(a, "a"), as_images(b, "b")
    if left.shape != right.shape:
        raise UserError(
            f"Pairs of images need one shape, found {tuple(left.shape)} and {tuple(right.shape)}."
        )
    if min(left.shape[2:]) < 8:
        raise UserError(f"Images of {tuple(left.shape[2:])} pixels are below 8 on a side.")
    rows = max(1, PIXELS_AT_ONCE // left[0].numel())
    parts = [
        _similarity(x.double(), y.to(x.device).double())
        for x, y in zip(left.split(rows), right.split(rows), strict=True)
    ]
    return torch.cat(parts)


def _random_pairs(rows: Tensor, pairs: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Pairs of different rows: all there are when they are no more than asked for."""
    count = len(rows)
    if count * (count - 1) // 2 <= pairs:
        first, second = torch.triu_indices(count, count, offset=1)
    else:
        first = torch.randint(count, (pairs,), generator=generator)
        second = (first + torch.randint(1, count, (pairs,), generator=generator)) % count
    return rows[first], rows[second]


def ms_ssim(images: Array, labels: Array | None = None, pairs: int = 100, seed: int = 0) -> MsSsim:
    """Mean similarity of random pairs of images uint8 [N, C, H, W], overall and within classes.

    Args:
        labels: Class of each image [N]; negative ones are left out of the classes.
        pairs: Number of random pairs, overall and per class (fewer where fewer exist).
        seed: Draws them.

    Raises UserError for other types, fewer than two images, and classes of one image.
    """
    positive(pairs, "pairs")
    pictures = as_images(images, "images", minimum=2)
    generator = torch.Generator().manual_seed(seed)

    def mean_similarity(rows: Tensor) -> float:
        first, second = _random_pairs(rows, pairs, generator)
        device = pictures.device
        return float(ms_ssim_pairs(pictures[first.to(device)], pictures[second.to(device)]).mean())

    overall = mean_similarity(torch.arange(len(pictures)))
    if labels is None:
        return MsSsim(overall, {}, None)
    classes = as_labels(labels, "labels", len(pictures))
    per_class = {}
    for index in classes[classes >= 0].unique().tolist():
        rows = (classes == index).nonzero()[:, 0]
        if len(rows) < 2:
            raise UserError(f"Class {index} has one image, a pair needs two: generate more of it.")
        per_class[index] = mean_similarity(rows)
    if not per_class:
        raise UserError("labels names no class: all labels are negative.")
    return MsSsim(overall, per_class, sum(per_class.values()) / len(per_class))


SMALLEST_SIDE = 8


def too_small(comparison: Comparison) -> str:
    """Why the structural similarity cannot be had."""
    side = min(comparison.generated.images.shape[2:])
    return "" if side >= SMALLEST_SIDE else f"images below {SMALLEST_SIDE} pixels on a side"


@register_metric(
    "ms_ssim",
    Output("ms_ssim", "like real", range=(0, 1)),
    Output("ms_ssim_within", "like real", range=(0, 1)),
    resampled=False,
    needs={"8 pixels": too_small},
    space=PIXELS,
    source="Odena et al. 2017, overall and within classes of every level",
    function=ms_ssim,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Mean structural similarity of random pairs: of all samples, and within predicted classes."""
    context, generated = comparison.context, comparison.generated
    values = {"ms_ssim": ms_ssim(generated.images, seed=context.seed).value}
    details: dict[str, dict[str, float]] = {}
    notes = []
    for level in context.levels:
        detected, names = context.detected(level, generated), context.taxonomy.classes[level]
        key = f"ms_ssim_within/{level}"
        details[key] = {}
        if (detected >= 0).any():
            found = ms_ssim(generated.images, detected, seed=context.seed)
            assert found.mean is not None
            values[key] = found.mean
            details[key] = {names[index]: value for index, value in found.per_class.items()}
        if absent := [name for name in names if name not in details[key]]:
            notes.append(
                f"{key} is over {len(details[key])} of {len(names)} classes of {level}: too few "
                f"samples show {listed(absent)} to tell them from the classifier's mistakes"
            )
    return Outcome(values, {key: within for key, within in details.items() if within}, notes)
