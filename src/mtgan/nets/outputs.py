"""Last layers of generators whose samples are canvases [N, 1, L, V] of one or more domains.

Each takes (x, y), x any real numbers and y [N] the classes that the generator is conditioned on
(or None), to values in [-1, 1], where a one-hot row is 1 at its token and -1 elsewhere.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from mtgan.registry import Registry

# A factory takes (vocabularies, channels of the canvas) to a layer.
OUTPUTS: Registry[Callable[[Sequence[int], int], nn.Module]] = Registry("generator output")


class Shared(nn.Module):
    """One activation for every domain, as the source has it (Gananath 2018)."""

    def __init__(self, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.activation(x)


class ByDomain(nn.Module):
    """Rows of a sequence as distributions over its own tokens, pixels by tanh.

    vocabularies: for each class of y the number of tokens of its domain, 0 for pixels.
    """

    def __init__(self, vocabularies: Sequence[int], channels: int) -> None:
        super().__init__()
        sizes = torch.tensor(vocabularies)[:, None]
        self.register_buffer("pixels", sizes[:, 0] == 0)
        self.register_buffer("outside", (sizes > 0) & (torch.arange(channels) >= sizes))

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        if y is None:
            y = x.new_zeros(len(x), dtype=torch.long)
        assert isinstance(self.pixels, Tensor)
        assert isinstance(self.outside, Tensor)
        outside, pixels = self.outside[y][:, None, None], self.pixels[y][:, None, None, None]
        tokens = x.masked_fill(outside, -torch.inf).softmax(dim=3)
        return torch.where(pixels, x.tanh(), 2 * tokens - 1)


@OUTPUTS.register("tanh")
def _tanh(vocabularies: Sequence[int], channels: int) -> nn.Module:
    return Shared(torch.tanh)


@OUTPUTS.register("sigmoid")
def _sigmoid(vocabularies: Sequence[int], channels: int) -> nn.Module:
    return Shared(lambda x: 2 * x.sigmoid() - 1)


@OUTPUTS.register("softmax")
def _softmax(vocabularies: Sequence[int], channels: int) -> nn.Module:
    return Shared(lambda x: 2 * x.softmax(dim=3) - 1)


@OUTPUTS.register("by-domain")
def _by_domain(vocabularies: Sequence[int], channels: int) -> nn.Module:
    return ByDomain(vocabularies or [0], channels)
