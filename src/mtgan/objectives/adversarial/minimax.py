"""The loss of the first GAN, in both players' original form (Goodfellow et al. 2014, eq. 1)."""

from torch import Tensor
from torch.nn.functional import softplus

from mtgan.objectives.adversarial.base import AdversarialObjective, sum_of_means
from mtgan.parts import OBJECTIVES


def cross_entropy_discriminator(
    real: Tensor, fake: Tensor, weights: Tensor | None = None
) -> Tensor:
    """-E[log sigmoid(D(x))] - E[log(1 - sigmoid(D(G(z))))] (Goodfellow et al. 2014, eq. 1).

    The thesis's eq. 3.2 swaps the labels, so that its real images score 0; a name alone.
    Written with softplus, since -log sigmoid(s) = softplus(-s) never overflows.
    """
    return sum_of_means(softplus(-real), softplus(fake), weights)


def minimax_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """E[log(1 - sigmoid(D(G(z))))] = -E[softplus(D(G(z)))] (Goodfellow et al. 2014, eq. 1).

    Saturates where the discriminator is sure of itself; kept for study.
    """
    return -softplus(fake).mean()


OBJECTIVES.register("minimax")(
    AdversarialObjective(cross_entropy_discriminator, minimax_generator, weighable=True)
)
