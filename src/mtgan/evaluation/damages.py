"""Known damages to real images: what the scorecard's floors and ladder are made of.

Each image damage is one function `f(images, strength, random) -> images` on uint8 [N, C, H, W],
registered by its decorator; strength 0 changes nothing and 1 is heavy. They follow the
disturbances of Heusel et al. 2017, arXiv 1706.08500, appendix A1, and work at any size. What
damages a *set* (missing classes, copies, wrong labels) chooses rows instead, further down.

Legend: N images, C channels, H x W pixels.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F

from mtgan.registry import Registry

Damage = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]
IMAGE_DAMAGES: Registry[Damage] = Registry(
    "image damage", "mtgan.evaluation.damages", has=("__call__",)
)


def damage_images(name: str, images: np.ndarray, strength: float, seed: int = 0) -> np.ndarray:
    """Apply a registered damage.

    Args:
        name: A name of `IMAGE_DAMAGES`.
        images: uint8 [N, C, H, W].
        strength: 0 (none) to 1 (heavy).
        seed: Decides every random draw.

    Returns:
        uint8 [N, C, H, W].
    """
    if strength <= 0:
        return images.copy()
    return IMAGE_DAMAGES.get(name)(images, strength, np.random.default_rng(seed))


def _to_uint8(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


@IMAGE_DAMAGES.register("noise")
def noise(images: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Mix with uniform noise: (1 - strength) * x + strength * noise."""
    mixed = random.integers(0, 256, images.shape, dtype=np.uint8) * np.float32(strength)
    return _to_uint8(mixed + images * np.float32(1 - strength))


@IMAGE_DAMAGES.register("blur")
def blur(images: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Gaussian blur; at strength 1 its standard deviation is an eighth of the smaller side."""
    sigma = strength * min(images.shape[2:]) / 8
    radius = min(math.ceil(3 * sigma), min(images.shape[2:]) - 1)
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel / kernel.sum()
    values = torch.from_numpy(images).float().flatten(0, 1).unsqueeze(1)
    values = F.pad(values, (radius,) * 4, mode="reflect")
    values = F.conv2d(F.conv2d(values, kernel.view(1, 1, -1, 1)), kernel.view(1, 1, 1, -1))
    return _to_uint8(values.reshape(images.shape).numpy())


@IMAGE_DAMAGES.register("rectangles")
def rectangles(images: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Five black rectangles at random places, each side `strength` half of the image's."""
    damaged = images.copy()
    height, width = images.shape[2:]
    tall, wide = (max(1, round(strength * side / 2)) for side in (height, width))
    tops = random.integers(0, height - tall + 1, (len(images), 5))
    lefts = random.integers(0, width - wide + 1, (len(images), 5))
    for image, rows, columns in zip(damaged, tops, lefts, strict=True):
        for top, left in zip(rows, columns, strict=True):
            image[:, top : top + tall, left : left + wide] = 0
    return damaged


@IMAGE_DAMAGES.register("swirl")
def swirl(images: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Turn the picture about its center, by 2 pi * strength there and by nothing at the border."""
    height, width = images.shape[2:]
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij"
    )
    radius = torch.sqrt(x**2 + y**2)
    angle = 2 * math.pi * strength * (1 - radius).clamp(min=0)
    grid = torch.stack(
        [x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()], dim=-1
    )
    values = torch.from_numpy(images).float()
    turned = F.grid_sample(
        values,
        grid.expand(len(images), -1, -1, -1),
        mode="bilinear",
        padding_mode="border",
        align_corners=True,
    )
    return _to_uint8(turned.numpy())


@IMAGE_DAMAGES.register("salt-and-pepper")
def salt_and_pepper(images: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """A share `strength` / 2 of the pixels become black or white."""
    damaged = images.copy()
    hit = random.random((len(images), 1, *images.shape[2:])) < strength / 2
    color = np.where(random.random(hit.shape) < 0.5, 0, 255).astype(np.uint8)
    np.copyto(damaged, np.broadcast_to(color, images.shape), where=hit)
    return damaged


def independent_pixels(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Every pixel position shuffled over the set: right marginals, no picture.

    Args:
        images: uint8 [N, C, H, W].
        random: Source of the permutations.

    Returns:
        uint8 [N, C, H, W].
    """
    return random.permuted(images, axis=0)


def foreign_images(
    images: np.ndarray, foreign: np.ndarray, strength: float, random: np.random.Generator
) -> np.ndarray:
    """Replace a share `strength` of the images by images of another dataset of the same shape.

    Args:
        images: uint8 [N, C, H, W].
        foreign: uint8 [M, C, H, W], M >= strength * N.
        strength: Share in [0, 1].
        random: Chooses which.

    Returns:
        uint8 [N, C, H, W].
    """
    damaged = images.copy()
    count = round(strength * len(images))
    places = random.permutation(len(images))[:count]
    damaged[places] = foreign[random.permutation(len(foreign))[:count]]
    return damaged


def rows_of_classes(
    classes: np.ndarray, kept: np.ndarray, count: int, random: np.random.Generator
) -> np.ndarray:
    """`count` rows whose class is among `kept`, in the first rows' favor; repeats if need be.

    Args:
        classes: int64 [N], the class of each row.
        kept: Classes that remain.
        count: Rows wanted. Every allowed row is used before any comes twice.
        random: Chooses the repeats.

    Returns:
        int64 [count].
    """
    allowed = np.flatnonzero(np.isin(classes, kept))
    if len(allowed) >= count:
        return allowed[:count]
    repeats = random.choice(allowed, count - len(allowed), replace=True)
    return np.concatenate([allowed, repeats])


def wrong_labels(labels: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """Exchange whole rows of labels among a share of the samples: the right classes, wrongly dealt.

    Args:
        labels: int64 [N, L].
        share: Share of the samples in [0, 1].
        random: Chooses which, and the exchange.

    Returns:
        int64 [N, L].
    """
    damaged = labels.copy()
    chosen = random.permutation(len(labels))[: round(share * len(labels))]
    damaged[chosen] = labels[random.permutation(chosen)]
    return damaged
