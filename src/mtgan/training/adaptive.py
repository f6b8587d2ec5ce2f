"""Adaptive discriminator augmentation (Karras et al. 2020, "Training Generative Adversarial
Networks with Limited Data", arXiv 2006.06676, section 3)."""

from typing import Any

import torch
from torch import Tensor, nn

from mtgan import processes

_INTERVAL = 4  # updates of the discriminator between two moves of p


class AdaptiveProbability(nn.Module):
    """The probability p by which each augmentation is done to a sample, between 0 and 1.

    It begins at 0. Every fourth update of the discriminator it moves by a fixed amount: up where
    r_t = E[sign(D(x))] over the real samples of these updates is above the target, down where it
    is below. images: how many real samples take it from 0 to 1. p, the sum of signs and the number
    of updates are buffers, and part of a checkpoint. Over several processes, of the joint batch.

    A penalty takes augmented samples as constants: it bounds the discriminator's slope at what the
    discriminator sees, and is not differentiated through the augmentations or p.
    """

    def __init__(self, target: float, images: int, batch_size: int) -> None:
        super().__init__()
        self.target, self.amount = target, _INTERVAL * batch_size / images
        for name in ("probability", "signs", "updates"):
            self.register_buffer(name, torch.zeros(()))

    @torch.no_grad()
    def moved(self, real: Tensor) -> dict[str, Tensor]:
        """The buffers after an update with these scores [N] of real samples; nothing is changed,
        and the device is not waited for."""
        kept: Any = self
        signs = kept.signs + processes.average(real.float().sign().mean())
        updates = kept.updates + 1
        due = updates == _INTERVAL
        move = self.amount * torch.sign(signs / _INTERVAL - self.target)
        moved = (kept.probability + move).clamp(0, 1)
        return {
            "probability": torch.where(due, moved, kept.probability),
            "signs": torch.where(due, 0.0, signs),
            "updates": torch.where(due, 0.0, updates),
        }
