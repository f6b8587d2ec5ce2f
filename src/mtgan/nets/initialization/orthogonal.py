"""Weights that keep lengths (Saxe et al. 2014)."""

import torch
from torch import nn

from mtgan.parts import INITIALIZATIONS


@INITIALIZATIONS.register("orthogonal")
def orthogonal(weight: torch.Tensor, generator: torch.Generator) -> None:
    """The weight as a matrix, its first dimension against all others, has orthonormal rows, or
    columns where there are fewer of these (Saxe et al. 2014, section 3; Brock et al. 2019)."""
    nn.init.orthogonal_(weight, generator=generator)
