"""The classifiers that are networks of their own (of recipes such as sc-wgan-b)."""

from collections.abc import Mapping

from torch import Tensor, nn

from mtgan.data.pixels import to_floats
from mtgan.errors import UserError
from mtgan.exporting.base import NETWORKS, Export, Program
from mtgan.exporting.examples import draw_images, still
from mtgan.exporting.networks.discriminator import judged


class OfEach(nn.Module):
    """Images uint8 [N, C, H, W] to the logits [N, K] of each classifier."""

    def __init__(self, classifiers: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.classifiers = nn.ModuleList(classifiers.values())

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        floats = to_floats(inputs[0])
        return tuple(classifier(floats) for classifier in self.classifiers)


@NETWORKS.register("classifier")
def classifier(asked: Export) -> Program:
    """`logits_TASK` for each task that has a classifier of its own; UserError where none has."""
    model = asked.model
    game = model.game(asked.step)
    info = game.dataset_info
    tasks = [(task.labels, level) for task, level in game.tasks if not task.is_head]
    own = {name: game.networks[f"classifier/{name}"] for name, _ in tasks}
    if not own:
        raise UserError(
            f"Recipe {model.recipe.name} trains no classifier of its own; what its discriminator's "
            "heads say is exported with the part discriminator."
        )
    original, names = OfEach(own), info.taxonomy.classes
    outputs = {
        f"logits_{name}": {
            "type": "float32",
            "shape": ["N", info.taxonomy.num_classes(level)],
            "level": level,
            "classes": list(names[level]),
        }
        for name, level in tasks
    }
    return Program(
        still(original),
        {"image": {"type": "uint8", "shape": ["N", *model.dataset_info.shape]}},
        outputs,
        lambda count: draw_images(asked, count)[:1],
        lambda inputs: judged(original, inputs),
    )
