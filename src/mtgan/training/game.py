"""From a recipe to networks and the phases in which they move.

Nothing after this file knows a model's name: the loop sees networks, parameter groups and phases.
"""

import copy
import itertools
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mtgan.errors import UserError
from mtgan.nets import Generator, initialize
from mtgan.nets.heads import as_levels
from mtgan.objectives.adversarial import log_loss_ratio
from mtgan.objectives.elastic import ElasticWeights
from mtgan.objectives.lecam import ScoreAverages
from mtgan.parts import AGGREGATORS
from mtgan.recipes import Recipe
from mtgan.training.adaptive import AdaptiveProbability
from mtgan.training.after import after_updates
from mtgan.training.conditioning import Conditioning
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.elastic import importance_phase
from mtgan.training.heads import levels_of
from mtgan.training.networks import (
    Network,
    build_classifier,
    build_discriminator,
    build_generator,
)
from mtgan.training.noise_scale import noise_scales
from mtgan.training.phases import Phase, PhaseList, Twin
from mtgan.training.requests import Requests
from mtgan.training.seeds import mix_seed
from mtgan.training.sharing import share_hard
from mtgan.training.steps import StepResult
from mtgan.training.twins import own_level
from mtgan.training.vicinity import Vicinity


def _states(recipe: Recipe) -> dict[str, nn.Module]:
    """What a discriminator's regularizers keep from update to update, by their names."""
    part, states = recipe.discriminator, dict[str, nn.Module]()
    if part.lecam:
        states["lecam"] = ScoreAverages()
    if adaptive := part.adaptive_augmentation:
        states["augmentation"] = AdaptiveProbability(
            adaptive.target, adaptive.images, recipe.training.batch_size
        )
    return states


class Game:
    """Networks, disjoint parameter groups, and phases.

    dataset_info: of the data, and its numbers and the recipe's codes behind its levels.
    networks: name -> module; names are "generator", "discriminator", "classifier/LEVEL", and with
    twins "generator/LEVEL", "discriminator/LEVEL". groups: the parameters that one optimizer
    owns. A layer that is hard-shared is one module in both networks, and its parameters are a
    group of their own ("generator/fine+generator/coarse"), which both networks' phases update.
    states: what follows a discriminator's scores, as "lecam/discriminator", or holds a generator's
    weights, "elastic/generator", by buffers alone.
    weighings: what learns the weights of a discriminator's tasks, as "weighing/discriminator".
    tasks: the recipe's, each with the taxonomy's level that it reads; those whose classes a
    transform makes read none, and are not among them.
    """

    def __init__(self, recipe: Recipe, info: DatasetInfo, seed: int = 0) -> None:
        self.recipe = recipe
        self.dataset_info = info = info.with_numbers().with_codes(recipe.latent.codes)
        self.tasks = [
            (task, info.level(task.labels, f"The task {task.labels!r} of recipe {recipe.name}"))
            for task in recipe.tasks
            if task.transform is None
        ]
        self.networks: dict[str, Network] = {}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(mix_seed(seed, "initialization"))
            self._build_networks(seed)
        heads = [task.labels for task in recipe.tasks if task.is_head]
        aggregators = {
            f"discriminator{twin.label}": AGGREGATORS.get(recipe.aggregator)(heads)
            for twin in self.twins
        }
        self.weighings: dict[str, nn.Module] = {
            f"weighing/{name}": aggregator
            for name, aggregator in aggregators.items()
            if isinstance(aggregator, nn.Module)
        }
        for network in self.networks.values():
            # Faster for the convolutions of nets.fast, on both kinds of device.
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.states = {
            f"{kind}/discriminator{twin.label}": state
            for twin in self.twins
            for kind, state in _states(recipe).items()
        }
        if recipe.elastic:
            (twin,) = self.twins
            elastic = ElasticWeights(twin.generator, recipe.elastic.batches)
            self.states["elastic/generator"] = elastic
        self.groups = self._group_parameters()
        self.phases = PhaseList(
            recipe,
            info,
            self.networks,
            self.twins,
            self.tasks,
            [*self.groups],
            aggregators,
            self.states,
            average=lambda iteration: self.update_average(recipe.training.ema_decay, iteration),
        ).make()
        if recipe.training.log_after_updates:
            names = [f"discriminator{twin.label}" for twin in self.twins]
            self.phases += [after_updates(p) for p in self.phases if p.name in names]
        if recipe.elastic:
            learns = next(p for p in self.phases if p.name == "generator")
            domains, steps = len(info.domains), recipe.training.steps
            self.phases.append(importance_phase(learns, elastic, domains, steps))
        # Copied together, so that what they share stays shared.
        self.average: dict[str, Generator] = copy.deepcopy(
            {f"generator{twin.label}": twin.generator for twin in self.twins}
        )
        for generator in self.average.values():
            generator.requires_grad_(False).eval()

    # Networks

    def _build_networks(self, seed: int) -> None:
        recipe, info = self.recipe, self.dataset_info
        names: list[str | None] = [*recipe.twins] or [None]
        self.twins = [self._build_twin(name) for name in names]
        told = [level for twin in self.twins for level in twin.generator.levels]
        needed = {*told, *(level for pair in self.tasks for level in levels_of(*pair, info))}
        for level in info.taxonomy.levels:
            if level in needed:
                info.require_labels(level, f"Recipe {recipe.name}")
        # Labels are drawn alike for all twins, of which each is told its own level.
        self.requests = Requests(info, self.twins[0].generator.levels, needed)
        self.vicinity: Vicinity | None = None
        if recipe.vicinity is not None:
            levels = self.requests.taken
            self.vicinity = Vicinity(recipe.vicinity, info, levels, f"Recipe {recipe.name}")
        for task, level in self.tasks:
            if not task.is_head:
                self.networks[f"classifier/{task.labels}"] = build_classifier(
                    recipe, info, task, level
                )
        generator = torch.Generator().manual_seed(mix_seed(seed, "weights"))
        for network in self.networks.values():
            initialize(network, recipe.training.initialization, generator)
        share_hard(recipe, self.networks)
        self._freeze()
        self.conditioning: Conditioning | None = None
        if recipe.schedule.conditioning:
            (twin,) = self.twins
            self.conditioning = Conditioning(recipe, info, twin.generator, twin.discriminator)

    def _build_twin(self, twin: str | None) -> Twin:
        recipe, info = self.recipe, self.dataset_info
        asked_by = f"Recipe {recipe.name}"
        conditioned = recipe.generator.conditioning != "none"
        names = as_levels(twin or recipe.condition_on) if conditioned else ()
        conditions = [info.level(name, asked_by) for name in names]
        # Twins take the blocks of all their levels, so that their first layers can be shared.
        levels = [info.level(name, asked_by) for name in recipe.twins] or conditions
        sizes = {name: info.taxonomy.num_classes(name) for name in levels}
        heads = [(task, level) for task, level in self.tasks if task.is_head]
        generator = build_generator(recipe, info, conditions, sizes)
        # No real sample has a code, so that scores cannot be compared under one.
        conditions = [level for level in conditions if level not in info.codes]
        sizes = {name: count for name, count in sizes.items() if name not in info.codes}
        transforms = [task for task in recipe.tasks if task.transform is not None]
        discriminator = build_discriminator(recipe, info, conditions, sizes, heads, transforms)
        label = f"/{twin}" if twin else ""
        self.networks[f"generator{label}"] = generator
        self.networks[f"discriminator{label}"] = discriminator
        own = own_level(recipe, info, twin)
        return Twin(label, generator.level, generator, discriminator, own)

    def _freeze(self) -> None:
        """Leave the first layers of the discriminators as they are; UserError for more layers than
        there are."""
        count, (_, height, width) = self.recipe.freeze.discriminator, self.dataset_info.shape
        for twin in self.twins:
            layers = twin.discriminator.layers
            if count > len(layers):
                raise UserError(
                    f"Recipe {self.recipe.name}: freeze.discriminator={count}, and at {height} x "
                    f"{width} pixels the discriminator has {len(layers)} layers; take 0 to "
                    f"{len(layers)}."
                )
            for layer in layers[:count]:
                layer.requires_grad_(False)

    def untold_tasks(self) -> list[str]:
        """Levels by which a task judges generated samples, and which no generator is told."""
        told = {level for twin in self.twins for level in twin.generator.levels}
        told |= {above for level in told for above in self.dataset_info.taxonomy.above(level)}
        weighty = [
            level
            for task, own in self.tasks
            if task.teaches
            for level in levels_of(task, own, self.dataset_info)
        ]
        return [level for level in weighty if told and level not in told]

    def _group_parameters(self) -> dict[str, list[nn.Parameter]]:
        """Every parameter that is not frozen in exactly one group, named after the network(s) that
        hold it."""
        holders: dict[nn.Parameter, list[str]] = {}
        for name, network in {**self.networks, **self.weighings}.items():
            for parameter in filter(lambda one: one.requires_grad, network.parameters()):
                holders.setdefault(parameter, []).append(name)
        groups: dict[str, list[nn.Parameter]] = {}
        for parameter, names in holders.items():
            groups.setdefault("+".join(names), []).append(parameter)
        return groups

    def begin(self, iteration: int) -> None:
        """Tell the networks as much of the labels as they are told in an iteration (from 0)."""
        if self.conditioning is not None:
            self.conditioning.set(iteration)

    def twin(self, name: str | None = None) -> Twin:
        """The twin that the recipe calls so; the main one, or the only pair, where no name is
        given."""
        label = self.twins[0].label if name is None else f"/{name}"
        return next(twin for twin in self.twins if twin.label == label)

    def averaged(self, twin: str | None = None) -> Generator:
        """The averaged generator of a twin; see `twin`."""
        return self.average[f"generator{self.twin(twin).label}"]

    def asking(self, twin: str | None = None) -> Requests:
        """The requests that a twin's averaged generator can be asked by now: for the levels that it
        is told, but for those that a schedule has not switched on."""
        told = self.averaged(twin).told()
        if told != self.twin(twin).generator.levels:
            return Requests(self.dataset_info, told)
        return self.requests.among(self.twin(twin).own_level).of(told)

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
            and (phase.at is None or iteration in phase.at)
            and (phase.draw is None or chosen[phase.draw] == phase.option)
        ]

    # What is said and logged

    def notes(self) -> list[str]:
        """What is to be said of the labels, before the training begins."""
        own = dict.fromkeys(twin.own_level for twin in self.twins)
        notes = [self.requests.among(level).note() for level in own]
        if self.vicinity is not None:
            notes.append(self.vicinity.note())
        if any(own):
            notes.append(
                "Twins learn from samples of their own alone, since none has labels of both: "
                + ", ".join(
                    f"{twin.label.removeprefix('/')} from the "
                    f"{self.requests.among(twin.own_level).count:,} with a label of {twin.level!r}"
                    for twin in self.twins
                )
                + "."
            )
        return [note for note in notes if note]

    def logged(self, phase: Phase, loss: Tensor, result: StepResult) -> dict[str, Tensor]:
        """What is logged of a move, by name."""
        terms = {name: term.value for name, term in result.terms.items()}
        whole = {"loss": loss} if phase.updates else {}
        values = {**whole, **terms, **result.logs}
        return {f"{phase.name}/{name}": value for name, value in values.items()}

    def summary(self, iterations: int, means: Mapping[str, float]) -> dict[str, float]:
        """The means since the last line, log10 of generator to discriminator loss, per pair (Weaver
        2017, figure 1), and noise scales where gradients were measured."""
        ratios = {}
        for twin in self.twins:
            names = [f"{p}{twin.label}/adversarial" for p in ("generator", "discriminator")]
            if all(name in means for name in names):
                pair = [torch.tensor(means[name]) for name in names]
                ratios[f"log_loss_ratio{twin.label}"] = log_loss_ratio(*pair).item()
        return {**means, **ratios, **noise_scales(means)}

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
        parts = (self.networks, self.weighings, self.states, self.average)
        nn.ModuleList(module for part in parts for module in part.values()).to(device)

    def tensors(self) -> dict[str, Tensor]:
        """Every parameter and buffer once, under "networks/NAME/..." and "average/NAME/..."."""
        found: dict[int, tuple[str, Tensor]] = {}
        kept: dict[str, Mapping[str, nn.Module]] = {
            "networks": {**self.networks, **self.weighings, **self.states},
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
