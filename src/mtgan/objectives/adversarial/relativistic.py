"""The relativistic pairing loss (Jolicoeur-Martineau 2019, RpGAN; Huang et al. 2024, R3GAN)."""

from torch import Tensor
from torch.nn.functional import softplus

from mtgan.objectives.adversarial.base import AdversarialObjective
from mtgan.parts import OBJECTIVES


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """E[softplus(-(D(x) - D(G(z))))], real and fake paired in order.

    Jolicoeur-Martineau 2019 (RpGAN); Huang et al. 2024 (R3GAN), eq. 2 with f(t) = -softplus(-t).
    """
    return softplus(fake - real).mean()


def relativistic_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """E[softplus(-(D(G(z)) - D(x)))]: the generator's side of the pairing (Huang et al. 2024)."""
    assert real is not None, "the relativistic generator loss needs the scores of real samples"
    return softplus(real - fake).mean()


OBJECTIVES.register("relativistic")(
    AdversarialObjective(
        relativistic_discriminator, relativistic_generator, generator_needs_real=True
    )
)
