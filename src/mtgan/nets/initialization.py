"""How weights begin."""

import math
from collections.abc import Callable

import torch
from torch import nn

from mtgan.parts import INITIALIZATIONS

Initializer = Callable[[torch.Tensor, torch.Generator], None]


@INITIALIZATIONS.register("glorot-uniform")
def glorot_uniform(weight: torch.Tensor, generator: torch.Generator) -> None:
    """U[-k, k], k = sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010, eq. 16; thesis, ch. 4)."""
    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(weight)
    limit = math.sqrt(6 / (fan_in + fan_out))
    nn.init.uniform_(weight, -limit, limit, generator=generator)


@INITIALIZATIONS.register("normal-0.02")
def normal_002(weight: torch.Tensor, generator: torch.Generator) -> None:
    """N(0, 0.02^2) (Radford et al. 2016, section 4)."""
    nn.init.normal_(weight, 0.0, 0.02, generator=generator)


def initialize(network: nn.Module, name: str, generator: torch.Generator) -> None:
    """Initialize every convolution and linear layer of `network`; biases become zero.

    Normalization layers and embeddings keep the initialization of their own class.
    """
    initializer = INITIALIZATIONS.get(name)
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.modules.conv._ConvNd):
            initializer(module.weight, generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
