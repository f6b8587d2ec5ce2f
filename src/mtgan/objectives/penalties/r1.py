"""A gradient of zero on real samples (Mescheder et al. 2018)."""

from torch import Tensor

from mtgan.objectives.penalties.base import Penalty, Score, dims_of_a_sample, input_gradient
from mtgan.parts import PENALTIES


def zero_centered_penalty(score: Score, samples: Tensor) -> Tensor:
    """E[||grad D(x)||_2^2] / 2 at the given samples (Mescheder et al. 2018, eq. 9).

    R1 on real samples, R2 on generated ones (weight gamma is the recipe's `penalty.weight`).
    """
    gradient = input_gradient(score, samples)
    return gradient.square().sum(dims_of_a_sample(gradient)).mean() / 2


PENALTIES.register("r1")(
    Penalty(
        lambda score, real, fake, epsilon: {"r1": zero_centered_penalty(score, real)},
        differentiates_score=True,
    )
)
