"""What a model's classifiers say of images: heads on the discriminator, and separate networks.

N: images; K: classes of a level.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from mtgan.data.pixels import to_floats
from mtgan.errors import UserError
from mtgan.nets import evaluating
from mtgan.recipes.task import Task
from mtgan.training.batches import columns
from mtgan.training.game import Game
from mtgan.training.heads import levels_of, objective_of


def classify(
    game: Game, images: np.ndarray, twin: str | None = None, batch_size: int = 250
) -> dict[str, np.ndarray]:
    """Probabilities float32 [N, K] of the classes of each level that a classifier of the game
    tells, for images uint8 [N, C, H, W] of the training data's shape; of a level that two of them
    tell, the later task's. Whether an image is real counts for nothing: a head's class of generated
    images is left out, and real and generated ones of a class are added.

    A discriminator that is told labels is told none. Numbers, and classes that a transform makes,
    are not among them. Empty where no network tells classes.

    Raises:
        UserError: Images of another shape or type.
    """
    shape = tuple(game.dataset_info.shape)
    if images.dtype != np.uint8 or images.shape[1:] != shape:
        raise UserError(
            f"A model of images uint8 [N, {', '.join(map(str, shape))}] was given "
            f"{images.dtype} {list(images.shape)}; load them in that size and with those channels."
        )
    told = [(task, level) for task, level in game.tasks if level not in game.dataset_info.numbers]
    found: dict[str, list[Tensor]] = {level: [] for _, level in told}
    with torch.no_grad():
        for x in to_floats(images).split(batch_size):
            for level, logits in _logits(game, twin, told, x):
                found[level].append(logits.float().softmax(-1))
    return {level: torch.cat(parts).numpy() for level, parts in found.items() if parts}


def _logits(
    game: Game, twin: str | None, told: list[tuple[Task, str]], x: Tensor
) -> Iterator[tuple[str, Tensor]]:
    """(level, logits [N, K]) of each task."""
    info = game.dataset_info
    discriminator = game.twin(twin).discriminator
    unsaid = torch.full((len(x), len(info.taxonomy.levels)), -1)
    with evaluating(discriminator):
        heads = discriminator(x, columns(unsaid, info.taxonomy.levels)).heads
    for task, level in told:
        objective = objective_of(task, levels_of(task, level, info), info)
        if not task.is_head:
            with evaluating(game.networks[f"classifier/{task.labels}"]) as classifier:
                logits = classifier(x)
        elif task.labels in heads:
            logits = heads[task.labels].logits
        else:
            continue
        yield level, objective.loss.of_data(objective.classes, objective.sizes, logits)
