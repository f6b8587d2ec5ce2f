"""What a penalty is, and the gradient that most of them bound.

A penalty is a function (score, real, fake, epsilon) -> terms by name, each a scalar:
score maps samples [N, ...] to scores [N] and is differentiated twice; real and fake are sample
batches [N, ...]; epsilon [N] is uniform on [0, 1).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mtgan.nets.fast import input_gradients_only

Score = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Penalty:
    """`terms` is added to the discriminator's loss; `clips` says that its weights are clipped;
    `differentiates_score` that each sample's score must depend on that sample alone."""

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


def dims_of_a_sample(x: Tensor) -> tuple[int, ...]:
    """All dimensions of [N, ...] but the first; to flatten them would change the layout."""
    return tuple(range(1, x.dim()))
