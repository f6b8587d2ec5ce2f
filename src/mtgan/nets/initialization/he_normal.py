"""Weights whose scale fits leaky ReLUs (He et al. 2015)."""

import math

import torch
from torch import nn

from mtgan.parts import INITIALIZATIONS

_SLOPE = 0.2


@INITIALIZATIONS.register("he-normal")
def he_normal(weight: torch.Tensor, generator: torch.Generator) -> None:
    """N(0, 2 / ((1 + a^2) fan_in)) at slope a = 0.2 (He et al. 2015, eq. 15)."""
    fan_in, _ = nn.init._calculate_fan_in_and_fan_out(weight)
    std = math.sqrt(2 / ((1 + _SLOPE**2) * fan_in))
    nn.init.normal_(weight, 0.0, std, generator=generator)
