"""The Wasserstein distance in its dual form: a critic of bounded slope (Arjovsky et al. 2017)."""

from torch import Tensor

from mtgan.objectives.adversarial.base import AdversarialObjective, sum_of_means
from mtgan.parts import OBJECTIVES


def wasserstein_discriminator(real: Tensor, fake: Tensor, weights: Tensor | None = None) -> Tensor:
    """E[D(G(z))] - E[D(x)] (Arjovsky et al. 2017, eq. 2 negated, since it is minimized).

    The scanned thesis has lost the minus sign before D(x) in Algorithms 2 to 4; this is the
    paper's.
    """
    return sum_of_means(-real, fake, weights)


def wasserstein_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """-E[D(G(z))] (Arjovsky et al. 2017, theorem 3 and algorithm 1).

    The thesis's algorithms print the vanilla loss log(1 - D(G(z))) here, against its own
    equation 3.10; the paper and that equation are followed.
    """
    return -fake.mean()


OBJECTIVES.register("wasserstein")(
    AdversarialObjective(
        wasserstein_discriminator, wasserstein_generator, critic=True, weighable=True
    )
)
