"""LeCam's regularizer (Tseng et al. 2021, "Regularizing Generative Adversarial Networks under
Limited Data", arXiv 2104.03310)."""

from typing import Any

import torch
from torch import Tensor, nn

from mtgan import processes

_DECAY = 0.99


def lecam(real: Tensor, fake: Tensor, mean_real: Tensor, mean_fake: Tensor) -> Tensor:
    """E[(D(x) - a_F)^2] + E[(D(G(z)) - a_R)^2], scores [N] and moving averages, scalars (Tseng et
    al. 2021, eq. 4), without its weight lambda."""
    return (real - mean_fake).square().mean() + (fake - mean_real).square().mean()


class ScoreAverages(nn.Module):
    """The moving averages a_R and a_F of a discriminator's scores of real and of generated samples
    (Tseng et al. 2021, eq. 5 and 6; decay 0.99).

    At update t the past weighs min(0.99, t / (1 + t)), so that the first 100 batches count alike
    and nothing has to be assumed before the first one. Over several processes, of the joint batch.
    """

    def __init__(self) -> None:
        super().__init__()
        for name in ("real", "fake", "updates"):
            self.register_buffer(name, torch.zeros(()))

    @torch.no_grad()
    def moved(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """The buffers after a batch with these scores [N]; nothing is changed."""
        kept: Any = self
        decay = (kept.updates / (1 + kept.updates)).clamp(max=_DECAY)
        now = processes.average(torch.stack([real.float().mean(), fake.float().mean()]))
        mean_real, mean_fake = torch.lerp(now, torch.stack([kept.real, kept.fake]), decay)
        return {"real": mean_real, "fake": mean_fake, "updates": kept.updates + 1}
