"""From a recipe to players and the phases in which they move.

Nothing after this file knows a model's name: the loop sees networks, parameter groups and phases.
"""

import copy
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from mtgan.errors import UserError
from mtgan.nets import (
    Classifier,
    Discriminator,
    DiscriminatorSettings,
    Generator,
    GeneratorSettings,
    HeadSpec,
    initialize,
)
from mtgan.nets.heads import as_levels
from mtgan.objectives.penalties.clip import clip_weights
from mtgan.parts import AGGREGATORS, AUGMENTATIONS, BACKBONES, NORMS, OBJECTIVES, OUTPUTS, PENALTIES
from mtgan.recipes import Recipe
from mtgan.recipes.schema import ClassifierPart, DiscriminatorPart, Sharing, Task
from mtgan.registry import nearest
from mtgan.training.aggregate import Aggregator, WeightedSum
from mtgan.training.batches import Batch, Noise, mix_seed
from mtgan.training.facts import DataFacts
from mtgan.training.requests import Requests
from mtgan.training.steps import (
    ClassifierStep,
    DiscriminatorStep,
    GeneratorStep,
    SoftSharing,
    StepResult,
    TaskTerms,
)

Player = Generator | Discriminator | Classifier


@dataclass(frozen=True)
class Phase:
    """One kind of move: what is computed, which parameter groups it updates, and when.

    It runs `repeats` times in every `every`-th iteration; where `draw` is set, only in those
    iterations in which that draw (one uniform choice per iteration) falls on `option`.
    """

    name: str
    step: Callable[[Batch, Noise], StepResult] | Callable[[Batch | None, Noise], StepResult]
    updates: tuple[str, ...]  # names of parameter groups
    repeats: int = 1
    every: int = 1
    draw: str | None = None
    option: str | None = None
    needs_real: bool = True
    batch_size: int = 64
    after: Callable[[], None] | None = None  # runs after each update (weight clipping)
    ends_generator_step: bool = False  # the moving average follows
    aggregator: Aggregator = field(default_factory=WeightedSum)


@dataclass(frozen=True)
class Twin:
    """One generator with its discriminator; `level` conditions both, `label` is "" or "/fine"."""

    label: str
    level: str | None
    generator: Generator
    discriminator: Discriminator


class Game:
    """Networks, disjoint parameter groups, and phases.

    networks: name -> module; names are "generator", "discriminator", "classifier/LEVEL", and with
    twins "generator/LEVEL", "discriminator/LEVEL". groups: the parameters that one optimizer
    owns. A layer that is hard-shared is one module in both networks, and its parameters are a
    group of their own ("generator/fine+generator/coarse"), which both networks' phases update.
    weighings: what learns the weights of a discriminator's tasks, as "weighing/discriminator".
    """

    def __init__(self, recipe: Recipe, facts: DataFacts, seed: int = 0) -> None:
        self.recipe = recipe
        self.facts = facts
        self.networks: dict[str, Player] = {}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(mix_seed(seed, "initialization"))
            self._build_networks(seed)
        self.aggregators = {
            f"discriminator{twin.label}": AGGREGATORS.get(recipe.aggregator)(
                [t.labels for t in recipe.tasks if t.classifier == "discriminator-head"]
            )
            for twin in self.twins
        }
        self.weighings: dict[str, nn.Module] = {
            f"weighing/{name}": aggregator
            for name, aggregator in self.aggregators.items()
            if isinstance(aggregator, nn.Module)
        }
        for network in self.networks.values():
            # Faster for the convolutions of nets.ops, on both kinds of device.
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.groups = self._group_parameters()
        self.phases = self._list_phases()
        # Copied together, so that what they share stays shared.
        self.average: dict[str, Generator] = copy.deepcopy(
            {f"generator{twin.label}": twin.generator for twin in self.twins}
        )
        for generator in self.average.values():
            generator.requires_grad_(False).eval()

    # Networks

    def _build_networks(self, seed: int) -> None:
        recipe, facts = self.recipe, self.facts
        self.tasks = [
            (task, facts.level(task.labels, f"The task {task.labels!r} of recipe {recipe.name}"))
            for task in recipe.tasks
        ]
        names: list[str | None] = [*recipe.twins] or [None]
        self.twins = [self._build_twin(name) for name in names]
        told = [level for twin in self.twins for level in twin.generator.levels]
        needed = {*told, *(level for _, level in self.tasks)}
        for level in facts.taxonomy.levels:
            if level in needed:
                facts.require_labels(level, f"Recipe {recipe.name}")
        # Samples are asked of the first twin.
        self.requests = Requests(facts, self.twins[0].generator.levels, needed)
        for task, level in self.tasks:
            if task.classifier == "separate":
                self.networks[f"classifier/{task.labels}"] = self._build_classifier(level)
        generator = torch.Generator().manual_seed(mix_seed(seed, "weights"))
        for network in self.networks.values():
            initialize(network, recipe.training.initialization, generator)
        for sharing in recipe.sharing:
            if sharing.kind == "hard":
                self._share_hard(sharing)

    def _build_twin(self, twin: str | None) -> Twin:
        recipe, facts = self.recipe, self.facts
        asked_by = f"Recipe {recipe.name}"
        label = f"/{twin}" if twin else ""
        conditioned = recipe.generator.conditioning != "none"
        asked = as_levels(twin or recipe.condition_on) if conditioned else ()
        conditions = tuple(facts.level(name, asked_by) for name in asked)
        # Twins take the blocks of all their levels, so that their first layers can be shared.
        levels = [facts.level(name, asked_by) for name in recipe.twins] or (list(conditions))
        sizes = {name: facts.taxonomy.num_classes(name) for name in levels}
        self.networks[f"generator{label}"] = generator = self._build_generator(conditions, sizes)
        self.networks[f"discriminator{label}"] = discriminator = self._build_discriminator(
            conditions, sizes
        )
        return Twin(label, generator.level, generator, discriminator)

    def _build_generator(self, levels: tuple[str, ...], sizes: dict[str, int]) -> Generator:
        part = self.recipe.generator
        backbone = BACKBONES.get(part.backbone)()
        backbone.check_shape(self.facts.shape)
        concat = sizes if part.conditioning == "concat" else {}
        level = levels[0] if levels else None
        by_class = level if part.conditioning == "normalization" else None
        by_domain = OUTPUTS.capability(part.output, "needs_vocabularies")
        settings = GeneratorSettings(
            shape=self.facts.shape,
            inputs=self.recipe.latent.dim + sum(concat.values()),
            width=part.width,
            kernel=part.kernel,
            normalization=part.normalization,
            classes=sizes[by_class] if by_class else 0,
            output=part.output,
            vocabularies=self.facts.vocabularies(level) if by_domain else (),
            latent=self.recipe.latent.dim,
        )
        return Generator(backbone.generator_layers(settings), levels, concat)

    def _settings(self, part: DiscriminatorPart | ClassifierPart) -> DiscriminatorSettings:
        return DiscriminatorSettings(
            shape=self.facts.shape,
            width=part.width,
            kernel=part.kernel,
            normalization=part.normalization,
            normalize_first_layer=part.normalize_first_layer,
            dropout=part.dropout,
            activation_noise=part.activation_noise,
            spectral_norm=part.spectral_norm,
        )

    def _build_discriminator(self, levels: tuple[str, ...], sizes: dict[str, int]) -> Discriminator:
        part = self.recipe.discriminator
        backbone = BACKBONES.get(part.backbone)()
        backbone.check_shape(self.facts.shape)
        settings = self._settings(part)
        heads = {
            task.labels: HeadSpec(self.facts.taxonomy.num_classes(own), task.bifurcation)
            for task, own in self.tasks
            if task.classifier == "discriminator-head"
        }
        depth = len(backbone.discriminator_layers(settings))
        for name, head in heads.items():
            if head.bifurcation > depth + 1:
                raise UserError(
                    f"Recipe {self.recipe.name}: the task {name!r} has bifurcation="
                    f"{head.bifurcation}, and at {self.facts.shape[1]} x {self.facts.shape[2]} "
                    f"pixels the discriminator has {depth} layers and the head; take 1 to "
                    f"{depth + 1}."
                )
        return Discriminator(
            lambda: backbone.discriminator_layers(settings),
            backbone.feature_count(settings),
            settings,
            part.conditioning,
            levels,
            sizes if part.conditioning != "none" else {},
            heads,
        )

    def _build_classifier(self, level: str) -> Classifier:
        part = self.recipe.classifier
        backbone = BACKBONES.get(part.backbone)()
        backbone.check_shape(self.facts.shape)
        settings = self._settings(part)
        return Classifier(
            backbone.discriminator_layers(settings),
            backbone.feature_count(settings),
            self.facts.taxonomy.num_classes(level),
        )

    def untold_tasks(self) -> list[str]:
        """Levels by which a task judges generated samples, and which no generator is told."""
        told = {level for twin in self.twins for level in twin.generator.levels}
        told |= {above for level in told for above in self.facts.taxonomy.above(level)}
        weighty = [
            level
            for task, level in self.tasks
            if task.generated
            or (task.weight if task.generator_weight is None else task.generator_weight)
        ]
        return [level for level in weighty if told and level not in told]

    # Sharing

    def _network(self, name: str) -> Player:
        if name not in self.networks:
            raise UserError(
                f"Recipe {self.recipe.name}: sharing.between names {name!r}, and there is no such "
                f"network: {nearest(name, list(self.networks))}"
            )
        return self.networks[name]

    def _shared_layers(self, sharing: Sharing) -> list[nn.ModuleList]:
        """The two networks' layers, checked to be alike in the first `layers` of them."""
        pair = [self._network(name).layers for name in sharing.between]
        depth = min(len(layers) for layers in pair)
        where = f"Recipe {self.recipe.name}: sharing between {' and '.join(sharing.between)}"
        if sharing.layers > depth:
            raise UserError(
                f"{where}: layers={sharing.layers}, and they have {depth}; take 0 to {depth}."
            )
        first, second = (kernel_weights(layers[: sharing.layers]) for layers in pair)
        if [w.shape for w in first] != [w.shape for w in second]:
            raise UserError(
                f"{where}: their first {sharing.layers} layers differ in shape; give both networks "
                "the same backbone, width and kernel."
            )
        return pair

    def _share_hard(self, sharing: Sharing) -> None:
        owner, guest = self._shared_layers(sharing)
        for i in range(sharing.layers):
            guest[i] = owner[i]

    def _soft_sharing(self, network: str) -> list[SoftSharing]:
        """The pulls on one network, each with that network's weights as the moving ones."""
        pulls = []
        for sharing in self.recipe.sharing:
            if sharing.kind == "hard" or network not in sharing.between or not sharing.layers:
                continue
            NORMS.get(sharing.norm)
            mine = sharing.between.index(network)
            weights = [kernel_weights(x[: sharing.layers]) for x in self._shared_layers(sharing)]
            other = sharing.between[1 - mine]
            pulls.append(
                SoftSharing(other, weights[mine], weights[1 - mine], sharing.weight, sharing.norm)
            )
        return pulls

    # Parameter groups

    def _group_parameters(self) -> dict[str, list[nn.Parameter]]:
        """Every parameter in exactly one group, named after the network(s) that hold it."""
        holders: dict[nn.Parameter, list[str]] = {}
        for name, network in {**self.networks, **self.weighings}.items():
            for parameter in network.parameters():
                holders.setdefault(parameter, []).append(name)
        groups: dict[str, list[nn.Parameter]] = {}
        for parameter, names in holders.items():
            groups.setdefault("+".join(names), []).append(parameter)
        return groups

    def _groups_of(self, *networks: str) -> tuple[str, ...]:
        return tuple(group for group in self.groups if any(n in group.split("+") for n in networks))

    # Phases

    def _task_terms(self, task: Task, level: str) -> TaskTerms:
        weight = task.weight
        to_generator = weight if task.generator_weight is None else task.generator_weight
        # A separate classifier's phase already bears the task's name.
        prefix = f"{task.labels}/" if task.classifier == "discriminator-head" else ""
        return TaskTerms(task.labels, level, weight, to_generator, task.generated, prefix)

    def _list_phases(self) -> list[Phase]:
        phases = []
        for twin in self.twins:
            phases += self._adversarial_phases(twin)
        separate = [(t, level) for t, level in self.tasks if t.classifier == "separate"]
        for twin, (task, level) in itertools.product(self.twins, separate):
            phases.append(self._classifier_phase(twin, task, level, several=len(separate) > 1))
        return phases

    def _adversarial_phases(self, twin: Twin) -> list[Phase]:
        recipe = self.recipe
        objective, penalty = OBJECTIVES.get(recipe.objective), PENALTIES.get(recipe.penalty.kind)
        heads = [
            self._task_terms(task, level)
            for task, level in self.tasks
            if task.classifier == "discriminator-head"
        ]
        generator, discriminator = f"generator{twin.label}", f"discriminator{twin.label}"
        clip = None
        if penalty.clips:
            clipped, limit = list(twin.discriminator.parameters()), recipe.penalty.limit

            def clip() -> None:
                clip_weights(clipped, limit)

        draw = "twin" if twin.label else None
        augmentation = tuple(recipe.discriminator.augmentation)
        for name in augmentation:
            AUGMENTATIONS.get(name)
        training, teacher_forcing = recipe.training, recipe.generator.teacher_forcing
        return [
            Phase(
                discriminator,
                DiscriminatorStep(
                    twin.generator,
                    twin.discriminator,
                    objective,
                    penalty,
                    recipe.penalty.weight,
                    heads,
                    self._soft_sharing(discriminator),
                    augmentation,
                ),
                updates=self._groups_of(discriminator, f"weighing/{discriminator}"),
                repeats=recipe.schedule.discriminator_steps,
                draw=draw,
                option=twin.label,
                batch_size=training.batch_size,
                after=clip,
                aggregator=self.aggregators[discriminator],
            ),
            Phase(
                generator,
                GeneratorStep(
                    twin.generator,
                    twin.discriminator,
                    objective,
                    heads,
                    self._soft_sharing(generator),
                    augmentation,
                    teacher_forcing,
                ),
                updates=self._groups_of(generator),
                repeats=recipe.schedule.generator_steps,
                draw=draw,
                option=twin.label,
                needs_real=objective.generator_needs_real or teacher_forcing > 0,
                batch_size=training.generator_batch_size or training.batch_size,
                ends_generator_step=True,
            ),
        ]

    def _classifier_phase(self, twin: Twin, task: Task, level: str, several: bool) -> Phase:
        schedule = self.recipe.schedule
        network = self.networks[f"classifier/{task.labels}"]
        assert isinstance(network, Classifier)
        name = f"classifier/{task.labels}"
        drawn = several and schedule.classifier_choice == "random"
        return Phase(
            f"{name}{twin.label}",
            ClassifierStep(
                twin.generator, network, self._task_terms(task, level), self._soft_sharing(name)
            ),
            updates=self._groups_of(name, f"generator{twin.label}"),
            every=schedule.classifier_every,
            draw="classifier" if drawn else None,
            option=task.labels,
            batch_size=self.recipe.training.batch_size,
            ends_generator_step=True,
        )

    def phases_at(self, iteration: int, seed: int) -> list[Phase]:
        """The phases that run in an iteration (counted from 0), draws made from the seed."""
        options: dict[str, list[str]] = {}
        for phase in self.phases:
            if phase.draw is not None and phase.option not in options.setdefault(phase.draw, []):
                options[phase.draw].append(str(phase.option))
        chosen = {
            draw: names[mix_seed(seed, "draw", draw, iteration) % len(names)]
            for draw, names in options.items()
        }
        return [
            phase
            for phase in self.phases
            if iteration % phase.every == 0
            and (phase.draw is None or chosen[phase.draw] == phase.option)
        ]

    # The moving average of the generators, from which samples are drawn

    @torch.no_grad()
    def update_average(self, decay: float, updates: int) -> None:
        """Move the average one generator update on; it warms up over the first updates.

        The weight of the past is min(decay, (1 + t) / (10 + t)) at update t, so that short runs
        are not averaged with their own initialization. Buffers (batch statistics) are copied.
        """
        decay = min(decay, (1 + updates) / (10 + updates))
        means = nn.ModuleList(self.average.values())
        live = nn.ModuleList(twin.generator for twin in self.twins)
        torch._foreach_lerp_(list(means.parameters()), list(live.parameters()), 1 - decay)
        for mean, now in zip(means.buffers(), live.buffers(), strict=True):
            mean.copy_(now)

    def to(self, device: torch.device) -> None:
        """Move every network and average to a device."""
        everything = [*self.networks.values(), *self.weighings.values(), *self.average.values()]
        nn.ModuleList(everything).to(device)

    def tensors(self) -> dict[str, Tensor]:
        """Every parameter and buffer once, under "networks/NAME/..." and "average/NAME/..."."""
        found: dict[int, tuple[str, Tensor]] = {}
        kept: dict[str, Mapping[str, nn.Module]] = {
            "networks": {**self.networks, **self.weighings},
            "average": self.average,
        }
        for kind, networks in kept.items():
            for name, network in networks.items():
                for key, tensor in itertools.chain(
                    network.named_parameters(), network.named_buffers()
                ):
                    found.setdefault(id(tensor), (f"{kind}/{name}/{key}", tensor))
        return dict(found.values())

    def parameter_counts(self) -> dict[str, int]:
        """Number of parameters per network (a shared one counts in each)."""
        return {
            name: sum(p.numel() for p in network.parameters())
            for name, network in self.networks.items()
        }


def kernel_weights(layers: Sequence[nn.Module] | nn.ModuleList) -> list[Tensor]:
    """The kernels of convolutions and linear layers, in order; no biases, no normalization.

    Where spectral normalization computes the kernel, the parameter that it is computed from.
    """
    kernels = []
    for layer in layers:
        for module in layer.modules():
            if isinstance(module, nn.Linear | nn.modules.conv._ConvNd):
                computed: Any = getattr(module, "parametrizations", None)
                kernels.append(computed.weight.original if computed else module.weight)
    return kernels
