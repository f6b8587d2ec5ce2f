"""One activation for every domain, as the source has it (Gananath 2018)."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from mtgan.parts import OUTPUTS


class Shared(nn.Module):
    """One activation for every domain, as the source has it (Gananath 2018)."""

    def __init__(self, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.activation(x)


@OUTPUTS.register("tanh")
def _tanh(vocabularies: Sequence[int], channels: int) -> nn.Module:
    return Shared(torch.tanh)


@OUTPUTS.register("sigmoid")
def _sigmoid(vocabularies: Sequence[int], channels: int) -> nn.Module:
    return Shared(lambda x: 2 * x.sigmoid() - 1)


@OUTPUTS.register("softmax")
def _softmax(vocabularies: Sequence[int], channels: int) -> nn.Module:
    return Shared(lambda x: 2 * x.softmax(dim=3) - 1)
