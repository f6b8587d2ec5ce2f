"""The hinge loss (Lim & Ye 2017; Miyato et al. 2018)."""

from torch import Tensor
from torch.nn.functional import relu

from mtgan.objectives.adversarial.base import AdversarialObjective, sum_of_means
from mtgan.objectives.adversarial.wasserstein import wasserstein_generator
from mtgan.parts import OBJECTIVES


def hinge_discriminator(real: Tensor, fake: Tensor, weights: Tensor | None = None) -> Tensor:
    """E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))] (Lim & Ye 2017; Miyato et al. 2018, eq. 17)."""
    return sum_of_means(relu(1.0 - real), relu(1.0 + fake), weights)


OBJECTIVES.register("hinge")(
    AdversarialObjective(hinge_discriminator, wasserstein_generator, weighable=True)
)
