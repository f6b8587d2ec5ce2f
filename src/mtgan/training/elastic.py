"""How important each weight of a generator is for a domain, measured at the domain's end.

The elastic weights of mtgan.objectives.elastic hold by it while the next domain is learned. A
likelihood has a Fisher information (Kirkpatrick et al. 2017); a GAN has none, and the squared
gradient of the generator's own loss stands in its place (Seff et al. 2017 go by the discriminator's
output).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import nn

from mtgan import processes
from mtgan.errors import UserError
from mtgan.objectives.elastic import ElasticWeights
from mtgan.training.after import Measured
from mtgan.training.aggregate import weighted_sum
from mtgan.training.batches import Batch, RandomInputs
from mtgan.training.buffers import keeping_buffers
from mtgan.training.mixture import firsts
from mtgan.training.phases import Phase
from mtgan.training.steps import GeneratorStep, LossTerm, StepResult


@contextmanager
def _requiring_gradients(parameters: Sequence[nn.Parameter]) -> Iterator[None]:
    """Parameters that a phase does not move are frozen meanwhile, and here they are measured."""
    before = [parameter.requires_grad for parameter in parameters]
    try:
        for parameter in parameters:
            parameter.requires_grad_(True)
        yield
    finally:
        for parameter, was in zip(parameters, before, strict=True):
            parameter.requires_grad_(was)


@dataclass(frozen=True)
class ImportanceStep:
    """Measures the squared gradient of a generator's own loss on one batch; moves nothing, and
    leaves the networks' statistics as they are.

    The square of a batch's mean gradient, times the batch's size, stands for the mean of the
    squares of single samples, which it is where their mean is 0, as at the end of a training.
    """

    step: GeneratorStep
    weights: ElasticWeights

    def __call__(self, batch: Batch | None, inputs: RandomInputs) -> StepResult:
        step, moving = self.step, self.weights.moving
        with keeping_buffers(step.generator, step.discriminator), _requiring_gradients(moving):
            total = weighted_sum(replace(step, elastic=None)(batch, inputs).terms)
            found = torch.autograd.grad(total, moving, allow_unused=True)
        count = len(inputs.latents) * processes.count()
        gradients = [
            torch.zeros_like(w) if g is None else processes.average(g)
            for w, g in zip(moving, found, strict=True)
        ]
        squares = [count * gradient.square() for gradient in gradients]
        result = StepResult({"loss_of_domain": LossTerm(total.detach())})
        result.keep(self.weights, self.weights.moved(squares))
        return result


def importance_phase(moved: Phase, weights: ElasticWeights, domains: int, steps: int) -> Phase:
    """The phase that measures at the end of every domain but the last, by the batches that the
    generator's phase would be given."""
    assert isinstance(moved.step, GeneratorStep)
    batches = weights.batches
    if domains < 2 or steps // domains < batches:
        raise UserError(
            f"elastic.batches={batches} are measured at the end of each domain but the last, and "
            f"there are {steps} iterations over {domains} domains; take domains with + between "
            f"them, and at least {max(domains, 2) * batches} iterations."
        )
    at = frozenset(i for first in firsts(domains, steps) for i in range(first - batches, first))
    return replace(
        moved,
        name="elastic",
        step=ImportanceStep(moved.step, weights),
        updates=(),
        repeats=1,
        after=None,
        aggregator=Measured(),
        at=at,
    )
