"""What both players' losses are after the updates of an iteration, on the same latents.

The losses by which players move are measured before each update, the discriminator's once and the
generator's over fresh latents. Weaver (2017, Figure 1) compares them once both have moved, on the
batch and the latents of the iteration, as DCGAN-tensorflow prints them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from mtgan.objectives.adversarial import log_loss_ratio
from mtgan.training.aggregate import weighted_sum
from mtgan.training.batches import Batch, RandomInputs
from mtgan.training.buffers import keeping_buffers
from mtgan.training.phases import Phase
from mtgan.training.steps import DiscriminatorStep, LossTerm, StepResult, complete_labels


class Measured:
    """An aggregator for what moves nobody."""

    def backward(self, result: StepResult, parameters: Sequence[nn.Parameter]) -> Tensor:
        return weighted_sum(result.terms)


@dataclass(frozen=True)
class LossesAfterUpdates:
    """Both losses, and log10 of their ratio, by the networks of a discriminator's step as they are
    now; the networks are left as they are, batch statistics included."""

    step: DiscriminatorStep

    @torch.no_grad()
    def __call__(self, batch: Batch, inputs: RandomInputs) -> StepResult:
        step = self.step
        labels = complete_labels(batch.asked, inputs.labels)
        with keeping_buffers(step.generator, step.discriminator):
            fake = step.augmentation(step.generator(inputs.latents, labels))
            real = step.augmentation(batch.samples)
            on_real, on_fake = (out.score for out in step.outputs(real, fake, batch.compared))
        weights = () if batch.weights is None else (batch.weights,)
        discriminator = step.objective.discriminator(on_real, on_fake, *weights)
        generator = step.objective.generator(on_fake, on_real)
        terms = {"discriminator": LossTerm(discriminator), "generator": LossTerm(generator)}
        return StepResult(terms, {"log_loss_ratio": log_loss_ratio(generator, discriminator)})


def after_updates(moved: Phase) -> Phase:
    """The phase that measures once a discriminator's phase, and its generator's, have moved: on the
    batch and the latents of the discriminator's last update."""
    assert isinstance(moved.step, DiscriminatorStep)
    return replace(
        moved,
        name=moved.name.replace("discriminator", "after_updates", 1),
        step=LossesAfterUpdates(moved.step),
        updates=(),
        repeats=1,
        after=None,
        aggregator=Measured(),
        given=moved,
    )
