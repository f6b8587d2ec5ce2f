"""Elastic weights: what a network learned first holds while it learns what comes next.

Kirkpatrick et al. 2017, "Overcoming catastrophic forgetting in neural networks" (eq. 3); for
generators Seff et al. 2017, "Continual learning in generative adversarial nets". After several
tasks their importances add up, and the weights of the last one are held (online, Schwarz et al.
2018, "Progress & Compress", section 3.2).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class ElasticWeights(nn.Module):
    """How important each weight of a network was, and what it was then, as buffers.

    batches: over how many the squared gradients are averaged, after which they are added to the
    importance, and the weights kept.
    """

    def __init__(self, network: nn.Module, batches: int) -> None:
        super().__init__()
        self.batches, self.moving = batches, list(network.parameters())
        for i, weight in enumerate(self.moving):
            for name in ("importance", "anchor", "squares"):
                self.register_buffer(f"{name}{i}", torch.zeros_like(weight))
        self.register_buffer("measured", torch.zeros(()))

    def _kept(self, name: str) -> list[Tensor]:
        return [self.get_buffer(f"{name}{i}") for i in range(len(self.moving))]

    def distance(self) -> Tensor:
        """Sum over the weights of importance (weight - anchor)^2; 0 before anything was kept."""
        held = zip(self.moving, self._kept("importance"), self._kept("anchor"), strict=True)
        return torch.stack([(f * (w - a).square()).sum() for w, f, a in held]).sum()

    @torch.no_grad()
    def moved(self, squares: Sequence[Tensor]) -> dict[str, Tensor]:
        """The buffers after one more batch with these squared gradients; nothing is changed, and
        the device is not waited for."""
        measured = self.get_buffer("measured") + 1
        due = measured == self.batches
        after = {"measured": torch.where(due, 0.0, measured)}
        kept = (self._kept(name) for name in ("squares", "importance", "anchor"))
        for i, (weight, square, total, importance, anchor) in enumerate(
            zip(self.moving, squares, *kept, strict=True)
        ):
            total = total + square
            after[f"squares{i}"] = torch.where(due, 0.0, total)
            after[f"importance{i}"] = torch.where(
                due, importance + total / self.batches, importance
            )
            after[f"anchor{i}"] = torch.where(due, weight, anchor)
        return after
