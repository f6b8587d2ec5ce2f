"""The phases of a game: who moves, when, by which losses."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from torch import nn

from mtgan.nets import Classifier, Discriminator, Generator
from mtgan.objectives.elastic import ElasticWeights
from mtgan.objectives.lecam import ScoreAverages
from mtgan.objectives.penalties.clip import clip_weights
from mtgan.parts import AUGMENTATIONS, OBJECTIVES, PENALTIES, TRANSFORMS
from mtgan.recipes import Recipe
from mtgan.recipes.task import Task
from mtgan.training.adaptive import AdaptiveProbability
from mtgan.training.aggregate import Aggregator
from mtgan.training.aggregators.sum import WeightedSum
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.heads import levels_of, objective_of
from mtgan.training.networks import Network
from mtgan.training.sharing import soft_sharing
from mtgan.training.steps import (
    Augmenter,
    ClassifierStep,
    DiscriminatorStep,
    GeneratorStep,
    StepResult,
    TaskTerms,
    TransformTerms,
)


@dataclass(frozen=True)
class Phase:
    """One kind of move: what is computed, which parameter groups it updates, and when.

    It runs `repeats` times in every `every`-th iteration; where `draw` is set, only in those
    iterations in which that draw (one uniform choice per iteration) falls on `option`.
    """

    name: str
    # Of what is drawn for it: a GAN\'s Batch (or None) and RandomInputs.
    step: Callable[..., StepResult]
    updates: tuple[str, ...]  # names of parameter groups
    repeats: int = 1
    every: int = 1
    draw: str | None = None
    option: str | None = None
    at: frozenset[int] | None = None  # the only iterations (from 0) in which it runs
    needs_real: bool = True
    vicinal: bool = False  # whether the real samples are drawn near targets
    batch_size: int = 64
    # Called with the iteration after each update: weight clipping, the moving average.
    after: Callable[[int], None] | None = None
    aggregator: Aggregator = field(default_factory=WeightedSum)
    own_level: str | None = None  # of Twin
    # Whose last draws of the iteration it is given, where it draws none of its own.
    given: "Phase | None" = None


@dataclass(frozen=True)
class Twin:
    """One generator with its discriminator; `level` conditions both, `label` is "" or "/fine".

    own_level: where it learns from the samples alone that have a label of this level; None: from
    all (mtgan.training.twins.own_level).
    """

    label: str
    level: str | None
    generator: Generator
    discriminator: Discriminator
    own_level: str | None = None


@dataclass(frozen=True)
class PhaseList:
    """Makes the phases of networks that are built.

    info: of the training data; tasks: with their levels; groups: names of the parameter groups;
    aggregators: by the discriminator's name; states: of Game; average: what
    follows every update of a generator.
    """

    recipe: Recipe
    info: DatasetInfo
    networks: Mapping[str, Network]
    twins: Sequence[Twin]
    tasks: Sequence[tuple[Task, str]]
    groups: Sequence[str]
    aggregators: Mapping[str, Aggregator]
    states: Mapping[str, nn.Module]
    average: Callable[[int], None]

    def make(self) -> list[Phase]:
        phases = [
            phase
            for twin in self.twins
            for phase in (self._discriminator_phase(twin), self._generator_phase(twin))
        ]
        separate = [(task, level) for task, level in self.tasks if not task.is_head]
        for twin, (task, level) in itertools.product(self.twins, separate):
            phases.append(self._classifier_phase(twin, task, level, several=len(separate) > 1))
        return phases

    def _discriminator_phase(self, twin: Twin) -> Phase:
        recipe, name = self.recipe, f"discriminator{twin.label}"
        penalty = PENALTIES.get(recipe.penalty.kind)
        weights = [one for one in twin.discriminator.parameters() if one.requires_grad]

        averages = self.states.get(f"lecam/{name}")
        assert averages is None or isinstance(averages, ScoreAverages)

        def clip(iteration: int) -> None:
            clip_weights(weights, limit=recipe.penalty.limit)

        return Phase(
            name,
            DiscriminatorStep(
                twin.generator,
                twin.discriminator,
                OBJECTIVES.get(recipe.objective),
                penalty,
                recipe.penalty.weight,
                self._heads(),
                soft_sharing(recipe, self.networks, name),
                self._augmentation(twin),
                self._transforms(),
                averages,
                recipe.discriminator.lecam,
            ),
            updates=self._groups_of(name, f"weighing/{name}"),
            repeats=recipe.schedule.discriminator_steps,
            draw="twin" if twin.label else None,
            option=twin.label,
            vicinal=recipe.vicinity is not None,
            batch_size=recipe.training.batch_size,
            after=clip if penalty.clips else None,
            aggregator=self.aggregators[name],
            own_level=twin.own_level,
        )

    def _generator_phase(self, twin: Twin) -> Phase:
        recipe, name = self.recipe, f"generator{twin.label}"
        objective = OBJECTIVES.get(recipe.objective)
        teacher_forcing = recipe.generator.teacher_forcing
        two_batches = recipe.schedule.class_batch == "own"
        size = recipe.training.generator_batch_size or recipe.training.batch_size
        elastic = self.states.get(f"elastic/{name}")
        assert elastic is None or isinstance(elastic, ElasticWeights)
        return Phase(
            name,
            GeneratorStep(
                twin.generator,
                twin.discriminator,
                objective,
                self._heads(),
                soft_sharing(recipe, self.networks, name),
                self._augmentation(twin),
                teacher_forcing,
                self._transforms(),
                two_batches,
                elastic,
                recipe.elastic.weight if recipe.elastic else 0.0,
            ),
            updates=self._groups_of(name),
            repeats=recipe.schedule.generator_steps,
            draw="twin" if twin.label else None,
            option=twin.label,
            needs_real=objective.generator_needs_real or teacher_forcing > 0,
            batch_size=2 * size if two_batches else size,
            after=self.average,
            own_level=twin.own_level,
        )

    def _classifier_phase(self, twin: Twin, task: Task, level: str, several: bool) -> Phase:
        recipe, name = self.recipe, f"classifier/{task.labels}"
        network = self.networks[name]
        assert isinstance(network, Classifier)
        drawn = several and recipe.schedule.classifier_choice == "random"
        return Phase(
            f"{name}{twin.label}",
            ClassifierStep(
                twin.generator,
                network,
                self._terms(task, level),
                soft_sharing(recipe, self.networks, name),
            ),
            updates=self._groups_of(name, f"generator{twin.label}"),
            every=recipe.schedule.classifier_every,
            draw="classifier" if drawn else None,
            option=task.labels,
            batch_size=recipe.training.batch_size,
            after=self.average,
            own_level=twin.own_level,
        )

    def _heads(self) -> list[TaskTerms]:
        return [self._terms(task, level) for task, level in self.tasks if task.is_head]

    def _terms(self, task: Task, level: str) -> TaskTerms:
        levels = levels_of(task, level, self.info)
        return TaskTerms(
            task.labels,
            levels,
            objective_of(task, levels, self.info),
            task.weight,
            task.weight_to_generator,
            real=task.learns_from != "generated" and level not in self.info.codes,
            generated=task.learns_from != "real",
            # A separate classifier's phase already bears the task's name.
            prefix=f"{task.labels}/" if task.is_head else "",
        )

    def _transforms(self) -> list[TransformTerms]:
        return [
            TransformTerms(
                task.labels,
                TRANSFORMS.get(task.transform),
                task.weight,
                task.weight_to_generator,
                real=task.learns_from != "generated",
                generated=task.learns_from != "real",
            )
            for task in self.recipe.tasks
            if task.transform is not None
        ]

    def _augmentation(self, twin: Twin) -> Augmenter:
        names = tuple(self.recipe.discriminator.augmentation)
        for name in names:
            AUGMENTATIONS.get(name)
        adaptive = self.states.get(f"augmentation/discriminator{twin.label}")
        assert adaptive is None or isinstance(adaptive, AdaptiveProbability)
        return Augmenter(names, adaptive)

    def _groups_of(self, *networks: str) -> tuple[str, ...]:
        return tuple(group for group in self.groups if any(n in group.split("+") for n in networks))
