"""What an adversarial loss is, and what is logged of any."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class AdversarialObjective:
    """A pair of losses.

    discriminator(real, fake) and generator(fake, real) take scores [N] and give scalars.
    `weighable` is true where the discriminator's takes weights [2, N], of the real and the
    generated samples, as a third argument, by which each sample's term is multiplied;
    `generator_needs_real` is true where the generator's loss compares with real scores;
    `critic` is true where the scores are unbounded values whose difference estimates a distance,
    so that something must bound the discriminator's slope; `scores` is false where the losses
    depend on no score, and heads alone tell real from generated.
    """

    discriminator: Callable[..., Tensor]
    generator: Callable[[Tensor, Tensor | None], Tensor]
    generator_needs_real: bool = False
    critic: bool = False
    scores: bool = True
    weighable: bool = False


def sum_of_means(on_real: Tensor, on_fake: Tensor, weights: Tensor | None) -> Tensor:
    """E[w l(x)] + E[w l(G(z))] of the losses [N] of either side and weights [2, N]; w is 1 where
    there are none."""
    if weights is not None:
        on_real, on_fake = weights[0] * on_real, weights[1] * on_fake
    return on_real.mean() + on_fake.mean()


def distance_estimate(real: Tensor, fake: Tensor) -> Tensor:
    """E[D(x)] - E[D(G(z))]: under a Lipschitz bound K, a lower bound of K times the Wasserstein
    distance (Arjovsky et al. 2017, eq. 2). Logged for every objective, meaningful for critics.
    """
    return real.detach().mean() - fake.detach().mean()


def log_loss_ratio(generator_loss: Tensor, discriminator_loss: Tensor) -> Tensor:
    """log10 of |generator loss| : |discriminator loss| (Weaver 2017, figure 1); 0 means parity.

    Magnitudes are compared, since Wasserstein losses take either sign; both are kept off zero.
    """
    tiny = torch.finfo(generator_loss.dtype).tiny
    ratio = generator_loss.abs().clamp_min(tiny) / discriminator_loss.abs().clamp_min(tiny)
    return torch.log10(ratio)
