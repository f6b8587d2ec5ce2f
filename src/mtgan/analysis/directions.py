"""Directions in latent space: what each dimension does, SeFa, and from one class to another.

Z: latent; B: latents over which is averaged; O: outputs of the first layer.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from mtgan.analysis.base import Images
from mtgan.analysis.paths import Embed, Make
from mtgan.nets.between import between_labels
from mtgan.nets.networks import Generator
from mtgan.training.batches import columns

_TOGETHER = 250  # samples that `make` makes at once


def dimension_effects(
    make: Make, latents: Tensor, rows: Tensor, embedding: Embed, reach: float
) -> np.ndarray:
    """Mean feature distance, over latents [B, Z], between the two ends of every dimension [Z]."""
    effects = []
    for dim in range(latents.shape[1]):
        ends = latents.repeat(2, 1)
        ends[: len(latents), dim], ends[len(latents) :, dim] = -reach, reach
        low, high = np.split(embedding(make(ends, rows.repeat(2, 1))).astype(np.float64), 2)
        effects.append(np.linalg.norm(high - low, axis=1).mean())
    return np.array(effects)


def sefa(weight: Tensor) -> tuple[np.ndarray, Tensor]:
    """Eigenvalues of A^T A as shares, descending [Z], and unit directions [Z, Z], for A [O, Z]."""
    weight = weight.detach().double()
    values, vectors = torch.linalg.eigh(weight.T @ weight)
    values = values.flip(0).clamp_min(0)
    shares = values / values.sum().clamp_min(torch.finfo(values.dtype).tiny)
    return shares.numpy(), vectors.T.flip(0).float()


def first_weight(generator: Generator, dim: int) -> Tensor | None:
    """The part [O, Z] of the generator's first linear weight that reads the latent."""
    for module in generator.layers[0].modules():
        if isinstance(module, nn.Linear) and module.in_features >= dim:
            return module.weight[:, :dim]
    return None


Blend = Callable[[Tensor, Tensor, Tensor, Tensor], Images]
"""(latents [B, Z], label rows a [B, L], rows b, t [B]) to images: from a (t = 0) to b (t = 1)."""


def blender(make: Make, generator: Generator, levels: tuple[str, ...]) -> Blend:
    """How a generator makes samples between two labels; make: its images; levels: of the rows."""

    def blend(z: Tensor, a: Tensor, b: Tensor, t: Tensor) -> Images:
        made = []
        # In batches that `make` does not cut, since both labels must meet.
        parts = zip(*(values.split(_TOGETHER) for values in (z, a, b, t)), strict=True)
        for latents, first, second, share in parts:
            with between_labels(generator, columns(second, levels), share):
                made.append(make(latents, first))
        return np.concatenate(made)

    return blend
