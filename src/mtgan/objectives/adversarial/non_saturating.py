"""The loss of the first GAN with a generator that keeps its gradient (Goodfellow et al. 2014)."""

from torch import Tensor
from torch.nn.functional import softplus

from mtgan.objectives.adversarial.base import AdversarialObjective
from mtgan.objectives.adversarial.minimax import cross_entropy_discriminator
from mtgan.parts import OBJECTIVES


def non_saturating_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """-E[log sigmoid(D(G(z)))] = E[softplus(-D(G(z)))] (Goodfellow et al. 2014, section 3).

    The cross-entropy against the label "real" of the thesis, 4.0.5 step 1.
    """
    return softplus(-fake).mean()


OBJECTIVES.register("non-saturating")(
    AdversarialObjective(cross_entropy_discriminator, non_saturating_generator, weighable=True)
)
