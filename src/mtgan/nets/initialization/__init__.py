"""How weights begin, one file for each way, found by their presence here."""

from collections.abc import Callable

import torch
from torch import nn

from mtgan.parts import INITIALIZATIONS

Initializer = Callable[[torch.Tensor, torch.Generator], None]


def initialize(network: nn.Module, name: str, generator: torch.Generator) -> None:
    """Initialize every convolution and linear layer of `network`; biases become zero.

    Normalization layers, embeddings, and layers with the attribute `own_initialization` keep the
    initialization of their own class.
    """
    initializer = INITIALIZATIONS.get(name)
    for module in network.modules():
        own = getattr(module, "own_initialization", False)
        if isinstance(module, nn.Linear | nn.modules.conv._ConvNd) and not own:
            initializer(module.weight, generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
