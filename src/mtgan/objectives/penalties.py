"""Penalties that hold the discriminator smooth, and weight clipping that does it by force.

A penalty is a function (score, real, fake, epsilon) -> terms by name, each a scalar:
score maps samples [N, ...] to scores [N] and is differentiated twice; real and fake are sample
batches [N, ...]; epsilon [N] is uniform on [0, 1).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from mtgan.nets.ops import input_gradients_only
from mtgan.parts import PENALTIES

Score = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Penalty:
    """`terms` is added to the discriminator's loss; `clips` says that its weights are clipped."""

    terms: Callable[[Score, Tensor, Tensor, Tensor], dict[str, Tensor]] | None = None
    clips: bool = False
    differentiates_score: bool = False


def input_gradient(score: Score, samples: Tensor) -> Tensor:
    """Gradient of each sample's own score with respect to that sample, [N, ...], differentiable.

    Summing the scores first is exact as long as no sample's score depends on another sample,
    which is why batch normalization in a penalized critic is refused.
    """
    samples = samples.detach().requires_grad_(True)
    total = score(samples).sum()
    with input_gradients_only():
        (gradient,) = torch.autograd.grad(total, samples, create_graph=True)
    return gradient


def gradient_penalty(score: Score, real: Tensor, fake: Tensor, epsilon: Tensor) -> Tensor:
    """E[(||grad D(x')||_2 - 1)^2] at x' = epsilon x + (1 - epsilon) G(z), one epsilon per sample.

    Gulrajani et al. 2017, eq. 3 and algorithm 1, without its weight lambda (the recipe's
    `penalty.weight`, 10 there).
    """
    epsilon = epsilon.view(-1, *[1] * (real.dim() - 1))
    between = epsilon * real + (1 - epsilon) * fake
    gradient = input_gradient(score, between)
    # The norm's derivative at exactly zero is undefined; vector_norm gives a subgradient of 0.
    norms = torch.linalg.vector_norm(gradient, dim=_of_one_sample(gradient))
    return (norms - 1).square().mean()


def _of_one_sample(x: Tensor) -> tuple[int, ...]:
    """All dimensions of [N, ...] but the first; to flatten them would change the layout."""
    return tuple(range(1, x.dim()))


def zero_centered_penalty(score: Score, samples: Tensor) -> Tensor:
    """E[||grad D(x)||_2^2] / 2 at the given samples (Mescheder et al. 2018, eq. 9).

    R1 on real samples, R2 on generated ones (weight gamma is the recipe's `penalty.weight`).
    """
    gradient = input_gradient(score, samples)
    return gradient.square().sum(_of_one_sample(gradient)).mean() / 2


def clip_weights(parameters: Iterable[Tensor], limit: float) -> None:
    """Clamp every weight to [-limit, limit] in place, after the update (Arjovsky et al. 2017)."""
    with torch.no_grad():
        for parameter in parameters:
            parameter.clamp_(-limit, limit)


PENALTIES.register("none")(Penalty())
PENALTIES.register("clip")(Penalty(clips=True))
PENALTIES.register("gradient")(
    Penalty(
        lambda score, real, fake, epsilon: {
            "gradient_penalty": gradient_penalty(score, real, fake, epsilon)
        },
        differentiates_score=True,
    )
)
PENALTIES.register("r1")(
    Penalty(
        lambda score, real, fake, epsilon: {"r1": zero_centered_penalty(score, real)},
        differentiates_score=True,
    )
)
PENALTIES.register("r1-r2")(
    Penalty(
        lambda score, real, fake, epsilon: {
            "r1": zero_centered_penalty(score, real),
            "r2": zero_centered_penalty(score, fake),
        },
        differentiates_score=True,
    )
)
