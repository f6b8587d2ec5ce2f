"""The steps of the game: pure functions from (batch, inputs) to loss terms by name.

Each step is a small frozen object that holds the networks it speaks of, and is called with a
Batch of real samples and the RandomInputs to use. Nothing here updates anything, reads a tensor's
value on the host, or branches on one, so that an iteration can be captured or compiled as a whole.
N: real batch; M: generated batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.func import functional_call

from mtgan.nets import (
    Classifier,
    Discriminator,
    DiscriminatorOutput,
    Generator,
    HeadOutput,
    Labels,
    augment,
)
from mtgan.objectives import (
    AdversarialObjective,
    Penalty,
    accuracy,
    cross_entropy,
    shared_distance,
)
from mtgan.objectives.adversarial import distance_estimate
from mtgan.objectives.elastic import ElasticWeights
from mtgan.objectives.heads import HeadObjective
from mtgan.objectives.lecam import ScoreAverages, lecam
from mtgan.objectives.transforms import Transform
from mtgan.training.adaptive import AdaptiveProbability
from mtgan.training.batches import Batch, RandomInputs


@dataclass(frozen=True)
class LossTerm:
    """One summand of a loss: a scalar and its weight."""

    value: Tensor
    weight: float = 1.0
    task: str = ""  # "": the adversarial one


@dataclass
class StepResult:
    """Loss terms by name, and what is only logged (detached scalars)."""

    terms: dict[str, LossTerm] = field(default_factory=dict)
    logs: dict[str, Tensor] = field(default_factory=dict)
    # Buffers, and the values that they get once the update is made.
    state: list[tuple[Tensor, Tensor]] = field(default_factory=list)

    def keep(self, module: nn.Module, values: Mapping[str, Tensor]) -> None:
        """Have buffers of a module set to these values, by name, once the update is made."""
        self.state += [(module.get_buffer(name), value) for name, value in values.items()]


@dataclass(frozen=True)
class TaskTerms:
    """A classification task as the losses see it; `name` is the recipe's name of the level.

    levels: those whose labels it reads, its own first; head: what is right, and what is lost.
    """

    name: str
    levels: Sequence[str]
    head: HeadObjective
    weight: float
    generator_weight: float
    real: bool = True  # whether the classifier learns from real samples
    generated: bool = True
    prefix: str = ""  # of the terms' names: "fine/" where a network has several tasks

    @property
    def level(self) -> str:
        return self.levels[0]

    @property
    def share(self) -> float:
        """Half for real and half for generated samples where both count (thesis, 3.0.11)."""
        return 0.5 if self.real and self.generated else 1.0

    def add_to_classifier(
        self,
        result: StepResult,
        real: HeadOutput,
        real_labels: Labels,
        fake: HeadOutput,
        fake_labels: Labels,
    ) -> None:
        """Add the terms of the network that classifies."""
        labels = [[side[level] for level in self.levels] for side in (real_labels, fake_labels)]
        output = real.stacked(fake)
        on_real, on_generated = self.head.classifier(output, *labels)
        weight = self.weight * self.share
        if self.real:
            result.terms[f"{self.prefix}real"] = LossTerm(on_real, weight, self.name)
        if self.generated:
            result.terms[f"{self.prefix}generated"] = LossTerm(on_generated, weight, self.name)
        if fake.twin is not None:
            on_twin = self.head.twin(fake, labels[1])
            result.terms[f"{self.prefix}twin"] = LossTerm(on_twin, self.weight, self.name)
        own = torch.stack([side[0] for side in labels])
        measure, values = self.head.measured(output, own)
        on_real, on_generated = values.detach()
        if self.real:
            result.logs[f"{self.prefix}{measure}_real"] = on_real
        if self.head.asks_for_classes:
            result.logs[f"{self.prefix}{measure}_generated"] = on_generated

    def add_to_generator(self, result: StepResult, fake: HeadOutput, labels: Labels) -> None:
        """Add the generator's term. Its half on real samples is constant to it, and left out."""
        loss = self.head.generator(fake, [labels[level] for level in self.levels])
        weight = self.generator_weight * self.share
        result.terms[f"{self.prefix}generated"] = LossTerm(loss, weight, self.name)


@dataclass(frozen=True)
class TransformTerms:
    """A task whose classes a transform makes of the samples, in a pass of their own through the
    discriminator, whose score of them counts for nothing (Chen et al. 2019, eq. 4 and 5)."""

    name: str
    transform: Transform
    weight: float
    generator_weight: float
    real: bool = True  # whether the head learns from real samples
    generated: bool = True

    @property
    def share(self) -> float:
        return 0.5 if self.real and self.generated else 1.0

    def add_to_discriminator(
        self,
        result: StepResult,
        discriminator: Discriminator,
        real: Tensor,
        fake: Tensor,
        labels: Labels,
    ) -> None:
        """labels: under which the discriminator is given either batch."""
        if self.real:
            self._add(result, discriminator, real, labels, "real", self.weight)
        if self.generated:
            self._add(result, discriminator, fake, labels, "generated", self.weight)

    def add_to_generator(
        self, result: StepResult, discriminator: Discriminator, fake: Tensor, labels: Labels
    ) -> None:
        if self.generator_weight:
            self._add(result, discriminator, fake, labels, "generated", self.generator_weight)

    def _add(
        self,
        result: StepResult,
        discriminator: Discriminator,
        samples: Tensor,
        labels: Labels,
        side: str,
        weight: float,
    ) -> None:
        transformed, classes = self.transform.apply(samples)
        logits = discriminator(transformed, labels).logits[self.name]
        loss = cross_entropy(logits, classes)
        result.terms[f"{self.name}/{side}"] = LossTerm(loss, weight * self.share, self.name)
        result.logs[f"{self.name}/accuracy_{side}"] = accuracy(logits.detach(), classes)


@dataclass(frozen=True)
class SoftSharing:
    """A pull between corresponding weights; `moving` are those of the network being updated."""

    name: str
    moving: Sequence[Tensor]
    others: Sequence[Tensor]
    weight: float
    norm: str

    def add(self, result: StepResult) -> None:
        others = [weight.detach() for weight in self.others]
        distance = shared_distance(self.norm, self.moving, others)
        result.terms[f"sharing/{self.name}"] = LossTerm(distance, self.weight)


def complete_labels(labels: Labels, drawn: Labels) -> dict[str, Tensor]:
    """Labels to generate by: those of the real sample where it has them, else drawn ones, which
    are drawn to go with those that it has (BatchLoader.draw_labels).

    Algorithms 3 and 4 of the thesis generate with the classes of the real batch.
    """
    return {level: torch.where(y >= 0, y, drawn[level]) for level, y in labels.items()}


@dataclass(frozen=True)
class Augmenter:
    """What is done to all samples that a discriminator sees; adaptive: by its probability, where it
    adapts, else always."""

    names: Sequence[str] = ()
    adaptive: AdaptiveProbability | None = None

    def __call__(self, samples: Tensor) -> Tensor:
        adaptive = self.adaptive
        return augment(
            samples, self.names, adaptive.get_buffer("probability") if adaptive else None
        )

    def adapt(self, result: StepResult, real: Tensor) -> None:
        """Have the probability follow the scores [N] of real samples, where it adapts."""
        if self.adaptive is not None:
            result.logs["augmentation_probability"] = self.adaptive.get_buffer(
                "probability"
            ).clone()
            result.keep(self.adaptive, self.adaptive.moved(real.detach()))


@dataclass(frozen=True)
class DiscriminatorStep:
    """The discriminator's losses on one real and one generated batch of equal size."""

    generator: Generator
    discriminator: Discriminator
    objective: AdversarialObjective
    penalty: Penalty
    penalty_weight: float
    tasks: Sequence[TaskTerms] = ()
    sharing: Sequence[SoftSharing] = ()
    augmentation: Augmenter = Augmenter()
    transforms: Sequence[TransformTerms] = ()
    averages: ScoreAverages | None = None  # where LeCam's regularizer is asked for
    lecam_weight: float = 0.0

    def __call__(self, batch: Batch, inputs: RandomInputs) -> StepResult:
        generated_labels = complete_labels(batch.asked, inputs.labels)
        with torch.no_grad():
            fake = self.augmentation(self.generator(inputs.latents, generated_labels))
        real = self.augmentation(batch.samples)
        # Both sides, and the points between them, are compared under the real sample's labels, or
        # numbers near them.
        compared = batch.compared
        on_real, on_fake = self.outputs(real, fake, compared)
        result = StepResult()
        weights = () if batch.weights is None else (batch.weights,)
        loss = self.objective.discriminator(on_real.score, on_fake.score, *weights)
        result.terms["adversarial"] = LossTerm(loss)
        result.logs["distance_estimate"] = distance_estimate(on_real.score, on_fake.score)
        self.augmentation.adapt(result, on_real.score)
        if self.averages is not None:
            moved = self.averages.moved(on_real.score, on_fake.score)
            value = lecam(on_real.score, on_fake.score, moved["real"], moved["fake"])
            result.terms["lecam"] = LossTerm(value, self.lecam_weight)
            result.keep(self.averages, moved)
        if self.penalty.terms is not None:
            terms = self.penalty.terms(
                lambda samples: self.discriminator.score(samples, compared),
                real,
                fake,
                inputs.epsilon,
            )
            for name, value in terms.items():
                result.terms[name] = LossTerm(value, self.penalty_weight)
        for task in self.tasks:
            real_head, fake_head = on_real.heads[task.name], on_fake.heads[task.name]
            fake_head = faded(fake_head, self.generator, task.level)
            task.add_to_classifier(result, real_head, batch.labels, fake_head, generated_labels)
        for transform in self.transforms:
            transform.add_to_discriminator(result, self.discriminator, real, fake, compared)
        for sharing in self.sharing:
            sharing.add(result)
        return result

    def outputs(
        self, real: Tensor, fake: Tensor, labels: Labels
    ) -> tuple[DiscriminatorOutput, DiscriminatorOutput]:
        """Outputs for both batches, in one pass where samples of a batch are not mixed."""
        if self.discriminator.mixes_samples:
            return self.discriminator(real, labels), self.discriminator(fake, labels)
        both = self.discriminator(
            torch.cat([real, fake]), {level: torch.cat([y, y]) for level, y in labels.items()}
        )
        # One split, whose gradient is one operation, instead of two slices.
        scores = both.score.split(len(real))
        heads = {name: both_sides.split(len(real)) for name, both_sides in both.heads.items()}
        first, second = (
            DiscriminatorOutput(scores[i], {name: parts[i] for name, parts in heads.items()})
            for i in range(2)
        )
        return first, second


@dataclass(frozen=True)
class GeneratorStep:
    """The generator's losses on one generated batch; or on two, by one half of the inputs the
    adversarial loss, by the other those of heads and transforms."""

    generator: Generator
    discriminator: Discriminator
    objective: AdversarialObjective
    tasks: Sequence[TaskTerms] = ()
    sharing: Sequence[SoftSharing] = ()
    augmentation: Augmenter = Augmenter()
    teacher_forcing: float = 0.0
    transforms: Sequence[TransformTerms] = ()
    two_batches: bool = False
    elastic: ElasticWeights | None = None  # where what was learned before is to hold
    elastic_weight: float = 0.0

    def __call__(self, batch: Batch | None, inputs: RandomInputs) -> StepResult:
        inputs, of_heads = inputs.halves() if self.two_batches else (inputs, inputs)
        fake = self.augmentation(self.generator(inputs.latents, inputs.labels))
        output = self.discriminator(fake, inputs.labels)
        real_score = None
        if self.objective.generator_needs_real:
            assert batch is not None
            real = self.augmentation(batch.samples)
            real_score = self.discriminator.score(real, batch.labels)
        result = StepResult()
        result.terms["adversarial"] = LossTerm(self.objective.generator(output.score, real_score))
        if self.two_batches:
            fake = self.augmentation(self.generator(of_heads.latents, of_heads.labels))
            output = self.discriminator(fake, of_heads.labels)
        for task in self.tasks:
            head = faded(output.heads[task.name], self.generator, task.level)
            task.add_to_generator(result, head, of_heads.labels)
        for transform in self.transforms:
            transform.add_to_generator(result, self.discriminator, fake, of_heads.labels)
        if self.teacher_forcing:
            assert batch is not None
            loss = self.generator.teacher_forcing(inputs.latents, batch.labels, batch.samples)
            result.terms["teacher_forcing"] = LossTerm(loss, self.teacher_forcing)
        for sharing in self.sharing:
            sharing.add(result)
        if self.elastic is not None:
            result.terms["elastic"] = LossTerm(self.elastic.distance(), self.elastic_weight / 2)
        return result


@dataclass(frozen=True)
class ClassifierStep:
    """A separate classifier's losses, which move the classifier and the generator together.

    Algorithm 4 of the thesis, lines 18 to 29. The generator's share of the gradient is scaled by
    generator_weight / weight on its way through the generated samples.
    """

    generator: Generator
    classifier: Classifier
    task: TaskTerms
    sharing: Sequence[SoftSharing] = ()

    def __call__(self, batch: Batch, inputs: RandomInputs) -> StepResult:
        generated_labels = complete_labels(batch.labels, inputs.labels)
        fake = self.generator(inputs.latents, generated_labels)
        result = StepResult()
        on_real = HeadOutput(self.classifier(batch.samples))
        if self.task.generated:
            if self.task.weight > 0 and self.task.generator_weight != self.task.weight:
                fake = scale_gradient(fake, self.task.generator_weight / self.task.weight)
            on_fake = faded(HeadOutput(self.classifier(fake)), self.generator, self.task.level)
        else:  # the generator learns from the classifier, and the classifier not from it
            constants = {name: p.detach() for name, p in self.classifier.named_parameters()}
            on_fake = HeadOutput(functional_call(self.classifier, constants, (fake,)))
            on_fake = faded(on_fake, self.generator, self.task.level)
            self.task.add_to_generator(result, on_fake, generated_labels)
        self.task.add_to_classifier(result, on_real, batch.labels, on_fake, generated_labels)
        for sharing in self.sharing:
            sharing.add(result)
        return result


def faded(output: HeadOutput, generator: Generator, level: str) -> HeadOutput:
    """What a head says of generated samples: nobody learns from them more than the generator is
    told of the level (Shahbazi et al. 2022), where a schedule says how much that is."""
    if generator.strengths is None:
        return output
    strength = generator.strengths.of(level)
    return output.map(lambda x: scale_gradient(x, strength))


def scale_gradient(x: Tensor, factor: float | Tensor) -> Tensor:
    """x itself, whose gradient is multiplied by `factor`."""
    return x * factor + (x * (1 - factor)).detach()
