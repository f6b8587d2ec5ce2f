"""Quarter turns (Gidaris et al. 2018; Chen et al. 2019, self-supervised GANs)."""

import torch
from torch import Tensor

from mtgan.objectives.transforms.base import Transform
from mtgan.parts import TRANSFORMS

_TURNS = 4


def turned(samples: Tensor) -> tuple[Tensor, Tensor]:
    """The i-th sample of a batch turned left by i mod 4 quarters; that number.

    Batches are shuffled, and latents drawn, so that every sample meets every turn. Chen et al. show
    each of a quarter of the batch in all four: the same mean.
    """
    made = torch.empty_like(samples)
    for k in range(_TURNS):
        made[k::_TURNS] = torch.rot90(samples[k::_TURNS], k, (2, 3))
    return made, torch.arange(len(samples), device=samples.device) % _TURNS


TRANSFORMS.register("rotation")(Transform(turned, _TURNS, square=True))
