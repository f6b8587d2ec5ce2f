"""For each domain the activation that fits it."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mtgan import processes
from mtgan.parts import OUTPUTS


@OUTPUTS.register("by-domain")
class ByDomain(nn.Module):
    """Rows of a sequence as distributions over its own tokens, pixels by tanh.

    vocabularies: for each class of y the number of tokens of its domain, 0 for pixels.
    """

    needs_vocabularies = True

    def __init__(self, vocabularies: Sequence[int], channels: int) -> None:
        super().__init__()
        sizes = torch.tensor(list(vocabularies) or [0])[:, None]
        # Facts of the data, which no training changes.
        self.register_buffer("pixels", sizes[:, 0] == 0, persistent=False)
        outside = (sizes > 0) & (torch.arange(channels) >= sizes)
        self.register_buffer("outside", outside, persistent=False)

    def _of(self, x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor]:
        """Which samples are pixels [N, 1, 1], and logits whose foreign tokens are impossible."""
        if y is None:
            y = x.new_zeros(x.shape[0], dtype=torch.long)
        assert isinstance(self.pixels, Tensor)
        assert isinstance(self.outside, Tensor)
        shape = (x.shape[0], *[1] * (x.dim() - 2), -1)
        return self.pixels[y].view(shape), x.masked_fill(self.outside[y].view(shape), -torch.inf)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Of x [N, ..., V]."""
        pixels, logits = self._of(x, y)
        return torch.where(pixels, x.tanh(), 2 * logits.softmax(dim=-1) - 1)

    def draw(self, x: Tensor, y: Tensor | None, uniform: Tensor) -> Tensor:
        """As forward, of rows x [N, 1, V], and each row of a string one token, drawn by uniform
        [N] in (0, 1); its gradient is that of the distribution."""
        pixels, logits = self._of(x, y)
        share = logits.softmax(dim=-1)
        below = share.detach().cumsum(dim=-1) < uniform.view(-1, 1, 1)
        token = below.sum(dim=-1, keepdim=True).clamp(max=share.shape[-1] - 1)
        drawn = torch.zeros_like(share).scatter(-1, token, 1.0) + share - share.detach()
        return torch.where(pixels, x.tanh(), 2 * drawn - 1)

    def cross_entropy(self, x: Tensor, y: Tensor | None, real: Tensor) -> Tensor:
        """Mean over the rows of real strings [N, L, V] of -log of their share; of x [N, L, V]."""
        pixels, logits = self._of(x, y)
        is_token = (real > 0) & ~pixels
        losses = -logits.log_softmax(dim=-1).masked_fill(~is_token, 0.0)
        # Of several processes the mean, so that the mean of their losses is the joint batch's.
        rows = processes.average(is_token.sum(dtype=torch.float32))
        return losses.sum() / rows.clamp(min=1 / processes.count())
