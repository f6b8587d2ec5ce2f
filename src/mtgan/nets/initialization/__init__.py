"""How weights begin, one file for each way, found by their presence here."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from mtgan.parts import INITIALIZATIONS

Initializer = Callable[[torch.Tensor, torch.Generator], None]


_SETTLED = 15  # power iterations, as many as a new layer gets


def stored_weight(layer: Any) -> torch.Tensor:
    """The parameter that holds a layer's kernel: where spectral normalization computes the kernel,
    the one that it is computed from."""
    computed: Any = layer.parametrizations if is_parametrized(layer) else None
    return computed.weight.original if computed else layer.weight


@torch.no_grad()
def settle(layer: nn.Module) -> None:
    """Estimate the norm of a new kernel anew, where spectral normalization divides by it."""
    if not is_parametrized(layer):
        return
    training = layer.training
    layer.train()
    for _ in range(_SETTLED):
        _ = layer.weight  # each look is an iteration, while a layer trains
    layer.train(training)


@torch.no_grad()
def initialize(network: nn.Module, name: str, generator: torch.Generator) -> None:
    """Initialize every convolution and linear layer of `network`; biases become zero.

    Normalization layers, embeddings, and layers with the attribute `own_initialization` keep the
    initialization of their own class. Spectral normalization divides by the norm of the new kernel:
    its estimate is made anew.
    """
    initializer = INITIALIZATIONS.get(name)
    for module in network.modules():
        own = getattr(module, "own_initialization", False)
        if isinstance(module, nn.Linear | nn.modules.conv._ConvNd) and not own:
            initializer(stored_weight(module), generator)
            settle(module)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
