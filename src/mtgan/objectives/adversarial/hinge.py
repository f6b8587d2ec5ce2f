"""The hinge loss (Lim & Ye 2017; Miyato et al. 2018)."""

from torch import Tensor
from torch.nn.functional import relu

from mtgan.objectives.adversarial.base import AdversarialObjective
from mtgan.objectives.adversarial.wasserstein import wasserstein_generator
from mtgan.parts import OBJECTIVES


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))] (Lim & Ye 2017; Miyato et al. 2018, eq. 17)."""
    return relu(1.0 - real).mean() + relu(1.0 + fake).mean()


OBJECTIVES.register("hinge")(AdversarialObjective(hinge_discriminator, wasserstein_generator))
