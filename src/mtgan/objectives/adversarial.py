"""Adversarial losses: what the discriminator and the generator each minimize.

Every function takes scores [N] before any squashing (logits for the losses that speak of
probabilities, critic values for the Wasserstein ones) and returns a scalar to *minimize*.
Shapes: N is the batch size; real and fake batches are of equal size in the discriminator's loss.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from mtgan.parts import OBJECTIVES


@dataclass(frozen=True)
class AdversarialObjective:
    """A pair of losses.

    discriminator(real, fake) and generator(fake, real) take scores [N] and give scalars;
    `generator_needs_real` is true where the generator's loss compares with real scores;
    `critic` is true where the scores are unbounded values whose difference estimates a distance.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor | None], Tensor]
    generator_needs_real: bool = False
    critic: bool = False


def _cross_entropy_real_fake(real: Tensor, fake: Tensor) -> Tensor:
    """-E[log sigmoid(D(x))] - E[log(1 - sigmoid(D(G(z))))] (Goodfellow et al. 2014, eq. 1).

    Written with softplus, since -log sigmoid(s) = softplus(-s) never overflows.
    """
    return softplus(-real).mean() + softplus(fake).mean()


def minimax_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """E[log(1 - sigmoid(D(G(z))))] = -E[softplus(D(G(z)))] (Goodfellow et al. 2014, eq. 1).

    Saturates where the discriminator is sure of itself; kept for study.
    """
    return -softplus(fake).mean()


def non_saturating_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """-E[log sigmoid(D(G(z)))] = E[softplus(-D(G(z)))] (Goodfellow et al. 2014, section 3).

    The cross-entropy against the label "real" of the thesis, 4.0.5 step 1.
    """
    return softplus(-fake).mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """E[D(G(z))] - E[D(x)] (Arjovsky et al. 2017, eq. 2 negated, since it is minimized).

    The scanned thesis has lost the minus sign before D(x) in Algorithms 2 to 4; this is the
    paper's.
    """
    return fake.mean() - real.mean()


def wasserstein_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """-E[D(G(z))] (Arjovsky et al. 2017, theorem 3 and algorithm 1).

    The thesis's algorithms print the vanilla loss log(1 - D(G(z))) here, against its own
    equation 3.10; the paper and that equation are followed.
    """
    return -fake.mean()


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))] (Lim & Ye 2017; Miyato et al. 2018, eq. 17)."""
    return relu(1.0 - real).mean() + relu(1.0 + fake).mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """E[softplus(-(D(x) - D(G(z))))], real and fake paired in order.

    Jolicoeur-Martineau 2019 (RpGAN); Huang et al. 2024 (R3GAN), eq. 2 with f(t) = -softplus(-t).
    """
    return softplus(fake - real).mean()


def relativistic_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """E[softplus(-(D(G(z)) - D(x)))]: the generator's side of the pairing (Huang et al. 2024)."""
    assert real is not None, "the relativistic generator loss needs the scores of real samples"
    return softplus(real - fake).mean()


OBJECTIVES.register("minimax")(AdversarialObjective(_cross_entropy_real_fake, minimax_generator))
OBJECTIVES.register("non-saturating")(
    AdversarialObjective(_cross_entropy_real_fake, non_saturating_generator)
)
OBJECTIVES.register("wasserstein")(
    AdversarialObjective(wasserstein_discriminator, wasserstein_generator, critic=True)
)
OBJECTIVES.register("hinge")(AdversarialObjective(hinge_discriminator, wasserstein_generator))
OBJECTIVES.register("relativistic")(
    AdversarialObjective(
        relativistic_discriminator, relativistic_generator, generator_needs_real=True
    )
)


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
