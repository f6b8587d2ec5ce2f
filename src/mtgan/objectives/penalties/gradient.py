"""The gradient penalty of WGAN-GP (Gulrajani et al. 2017)."""

import torch
from torch import Tensor

from mtgan.objectives.penalties.base import Penalty, Score, dims_of_a_sample, input_gradient
from mtgan.parts import PENALTIES


def gradient_penalty(score: Score, real: Tensor, fake: Tensor, epsilon: Tensor) -> Tensor:
    """E[(||grad D(x')||_2 - 1)^2] at x' = epsilon x + (1 - epsilon) G(z), one epsilon per sample.

    Gulrajani et al. 2017, eq. 3 and algorithm 1, without its weight lambda (the recipe's
    `penalty.weight`, 10 there).
    """
    epsilon = epsilon.view(-1, *[1] * (real.dim() - 1))
    between = epsilon * real + (1 - epsilon) * fake
    gradient = input_gradient(score, between)
    # The norm's derivative at exactly zero is undefined; vector_norm gives a subgradient of 0.
    norms = torch.linalg.vector_norm(gradient, dim=dims_of_a_sample(gradient))
    return (norms - 1).square().mean()


PENALTIES.register("gradient")(
    Penalty(
        lambda score, real, fake, epsilon: {
            "gradient_penalty": gradient_penalty(score, real, fake, epsilon)
        },
        differentiates_score=True,
    )
)
