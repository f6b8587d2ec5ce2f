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

import torch
import torch.nn.functional as F
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.metrics.inputs import Array, as_images, as_labels, positive

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""As published: they sum to 1.0001."""

WINDOW = 11
SIGMA = 1.5
PEAK = 255
SMALL_SIDE = 32
SMALL_WEIGHTS = tuple(each / sum(WEIGHTS[:3]) for each in WEIGHTS[:3])
PIXELS_AT_ONCE = 1 << 19


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


def _window(side: int, like: Tensor) -> Tensor:
    """The window as a banded matrix [side - size + 1, side]: products are faster than filters."""
    size = min(WINDOW, side)
    offsets = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    weights = torch.exp(-offsets.square() / (2 * SIGMA**2))
    weights /= weights.sum()
    matrix = torch.zeros(side - size + 1, side, dtype=torch.float64)
    for row in range(len(matrix)):
        matrix[row, row : row + size] = weights
    return matrix.to(like)


def _smooth(images: Tensor) -> Tensor:
    """[n, 1, H, W] through the window along either side."""
    height, width = images.shape[2:]
    return _window(height, images) @ (images @ _window(width, images).T)


def _terms(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Mean similarity and mean contrast-structure term per channel image [n, 1, H, W] -> [n]."""
    c1, c2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
    mean_a, mean_b, square, product = _smooth(torch.cat([a, b, a * a + b * b, a * b])).chunk(4)
    between = product - mean_a * mean_b
    within = square - mean_a.square() - mean_b.square()
    contrast = (2 * between + c2) / (within + c2)
    luminance = (2 * mean_a * mean_b + c1) / (mean_a.square() + mean_b.square() + c1)
    return (luminance * contrast).mean(dim=(1, 2, 3)), contrast.mean(dim=(1, 2, 3))


def _similarity(a: Tensor, b: Tensor) -> Tensor:
    """float64 [n, C, H, W] of 0..255 -> [n]."""
    count, channels, height, width = a.shape
    weights = SMALL_WEIGHTS if min(height, width) <= SMALL_SIDE else WEIGHTS
    a, b = a.reshape(-1, 1, height, width), b.reshape(-1, 1, height, width)
    result = torch.ones(len(a), dtype=a.dtype, device=a.device)
    for scale, weight in enumerate(weights):
        similarity, contrast = _terms(a, b)
        last = scale == len(weights) - 1
        result = result * (similarity if last else contrast).clamp_min(0).pow(weight)
        if not last:
            a, b = (
                F.avg_pool2d(each, 2, ceil_mode=True, count_include_pad=False) for each in (a, b)
            )
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
    for each in classes[classes >= 0].unique().tolist():
        rows = (classes == each).nonzero()[:, 0]
        if len(rows) < 2:
            raise UserError(f"Class {each} has one image, a pair needs two: generate more of it.")
        per_class[each] = mean_similarity(rows)
    if not per_class:
        raise UserError("labels names no class: all labels are negative.")
    return MsSsim(overall, per_class, sum(per_class.values()) / len(per_class))
