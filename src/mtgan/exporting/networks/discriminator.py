"""The discriminator with its heads, as of the last iteration: to be transferred, or to judge."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mtgan.data.pixels import to_floats
from mtgan.exporting.base import NETWORKS, Export, Facts, Program
from mtgan.exporting.examples import draw_images, still
from mtgan.exporting.labels import LabelInputs
from mtgan.nets import Discriminator, evaluating
from mtgan.nets.heads import as_levels
from mtgan.parts import TRANSFORMS
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from mtgan.training.heads import levels_of, objective_of

Reading = Callable[[Tensor], Tensor]


class FromImages(nn.Module):
    """(images uint8 [N, C, H, W], label inputs) to the score [N], the features [N, F] that the
    heads take, and what each head says, as `readings` has it by task."""

    def __init__(
        self, discriminator: nn.Module, labels: LabelInputs, readings: Mapping[str, Reading]
    ) -> None:
        super().__init__()
        self.discriminator, self.labels, self.readings = discriminator, labels, readings

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        images, *told = inputs
        floats = to_floats(images)
        output = self.discriminator(floats, self.labels.read(told, floats))
        said = (read(output.heads[task].logits) for task, read in self.readings.items())
        return (output.score, output.features, *said)


@NETWORKS.register("discriminator")
def discriminator(asked: Export) -> Program:
    """`score`, `features`, and for each task `logits_TASK` of the data's classes (of a number
    `number_TASK`, in its own units)."""
    model = asked.model
    game = model.game(asked.step)
    own = game.twin(model.twin_name).discriminator
    levels = levels_told(game, model.twin_name)
    labels = LabelInputs(game.dataset_info, levels, levels)
    heads = {task: _head(game, task) for task in own.task_names}
    readings = {task: read for task, (_, _, read) in heads.items()}
    original = FromImages(own, labels, readings)

    def example(count: int) -> tuple[Tensor, ...]:
        images, rows = draw_images(asked, count)
        return (images, *labels.tensors(rows))

    outputs: dict[str, Facts] = {
        "score": {"type": "float32", "shape": ["N"]},
        "features": {"type": "float32", "shape": ["N", _feature_count(own, labels, example)]},
        **{name: facts for name, facts, _ in heads.values()},
    }
    return Program(
        FromImages(still(own), labels, readings),
        {"image": {"type": "uint8", "shape": ["N", *model.dataset_info.shape]}, **labels.facts()},
        outputs,
        example,
        lambda inputs: judged(original, inputs),
    )


@torch.no_grad()
def judged(module: nn.Module, inputs: Sequence[Tensor]) -> list[np.ndarray]:
    """What a network that is not being trained says, whose state stays as it was."""
    with evaluating(module):
        return [output.numpy() for output in module(*inputs)]


def _feature_count(
    own: Discriminator, labels: LabelInputs, example: Callable[[int], tuple[Tensor, ...]]
) -> int:
    (_, features) = judged(FromImages(own, labels, {}), example(1))
    return int(features.shape[1])


def levels_told(game: Game, twin: str | None) -> list[str]:
    """The levels that a twin's discriminator is told: the generator's, but for codes."""
    recipe, info = game.recipe, game.dataset_info
    if "none" in {recipe.generator.conditioning, recipe.discriminator.conditioning}:
        return []
    names = as_levels(twin or recipe.condition_on)
    levels = [info.level(name, f"Recipe {recipe.name}") for name in names]
    return [level for level in levels if level not in info.codes]


def _head(game: Game, name: str) -> tuple[str, dict[str, Any], Reading]:
    """What a task's output is called, what there is to say of it, and how it is read off."""
    info = game.dataset_info
    task = next(task for task in game.recipe.tasks if task.labels == name)
    if task.transform is not None:
        count = TRANSFORMS.get(task.transform).classes
        facts = {"type": "float32", "shape": ["N", count], "transform": task.transform}
        return f"logits_{name}", facts, lambda logits: logits
    level = info.level(name, f"The task {name!r}")
    objective = objective_of(task, levels_of(task, level, info), info)
    if level in info.numbers:
        return f"number_{name}", *_number(info, level)
    facts = {
        "type": "float32",
        "shape": ["N", info.taxonomy.num_classes(level)],
        "level": level,
        "classes": list(info.taxonomy.classes[level]),
    }
    read = objective.loss.of_data
    return f"logits_{name}", facts, lambda x: read(objective.classes, objective.sizes, x)


def _number(info: DatasetInfo, level: str) -> tuple[dict[str, Any], Reading]:
    """A head's value in [-1, 1] as the number that it means."""
    low, high = info.numbers[level].low, info.numbers[level].high
    facts = {"type": "float32", "shape": ["N"], "number": level, "low": low, "high": high}
    return facts, lambda x: low + (x.squeeze(-1) + 1) * ((high - low) / 2)
