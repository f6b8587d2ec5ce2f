"""No adversarial loss: heads that know generated samples as a class of their own play the game."""

from torch import Tensor

from mtgan.objectives.adversarial.base import AdversarialObjective
from mtgan.parts import OBJECTIVES


def no_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """0, of which the score's layer gets a gradient of 0."""
    return 0.0 * (real.mean() + fake.mean())


def no_generator_loss(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """0."""
    return 0.0 * fake.mean()


# Zhou et al. 2018 (AM-GAN), Kavalerov et al. 2021 (MHGAN), Zhou et al. 2021 (Omni-GAN).
OBJECTIVES.register("none")(
    AdversarialObjective(no_discriminator_loss, no_generator_loss, scores=False)
)
