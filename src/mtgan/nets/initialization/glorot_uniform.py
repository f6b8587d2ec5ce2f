"""Weights whose scale keeps that of what passes through them (Glorot & Bengio 2010)."""

import math

import torch
from torch import nn

from mtgan.parts import INITIALIZATIONS


@INITIALIZATIONS.register("glorot-uniform")
def glorot_uniform(weight: torch.Tensor, generator: torch.Generator) -> None:
    """U[-k, k], k = sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010, eq. 16; thesis, ch. 4)."""
    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(weight)
    limit = math.sqrt(6 / (fan_in + fan_out))
    nn.init.uniform_(weight, -limit, limit, generator=generator)
