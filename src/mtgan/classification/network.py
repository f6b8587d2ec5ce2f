"""Two classifiers that share their first layers: as one trunk, by a distance, or not at all.

N: batch; C, H, W: sample; K: classes of a task; b: shared layers.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mtgan.classification.schema import ClassifierRecipe, ClassifierSharing, Network
from mtgan.errors import UserError
from mtgan.nets import initialize
from mtgan.nets.backbone import DiscriminatorSettings
from mtgan.nets.fast import Conv2d, ReLU
from mtgan.nets.layers import Place, Places, chain
from mtgan.nets.networks import kernel_weights
from mtgan.nets.task_head import TaskHead
from mtgan.objectives.sharing import shared_distance
from mtgan.parts import BACKBONES, NORMS
from mtgan.training.seeds import mix_seed

Shape = tuple[int, int, int]


def make_layers(network: Network, shape: Shape) -> list[nn.Module]:
    """The layers of a task's network, for samples of this shape (C, H, W), before the linear one.

    UserError where samples are too small for them.
    """
    if network.critic is None:
        return _convolutions(network, shape[0])
    backbone = BACKBONES.get(network.critic.backbone)()
    backbone.check_shape(shape)
    return backbone.discriminator_layers(DiscriminatorSettings.of(network.critic, shape=shape))


def _convolutions(network: Network, channels: int) -> list[nn.Module]:
    """One module per convolution: convolution, batch normalization, ReLU, local response
    normalization, pooling, dropout, each where the recipe has it (the thesis gives no order)."""
    layers: list[nn.Module] = []
    for number, outputs in enumerate(network.channels, start=1):
        parts: list[nn.Module] = [
            Conv2d(channels, outputs, network.kernel, padding=network.kernel // 2)
        ]
        if network.batch_norm:
            parts.append(nn.BatchNorm2d(outputs))
        parts.append(ReLU())
        if number in network.response_norm_after:
            # TensorFlow's defaults, as the thesis took them: radius 5, bias 1, alpha 1, beta 0.5.
            # PyTorch divides alpha by the size of the window.
            parts.append(nn.LocalResponseNorm(11, alpha=11.0, beta=0.5, k=1.0))
        if number in network.pool_after:
            parts.append(nn.MaxPool2d(2))
        if network.dropout:
            parts.append(nn.Dropout(network.dropout))
        layers.append(nn.Sequential(*parts))
        channels = outputs
    return layers


def feature_shape(network: Network, shape: Shape, layers: int | None = None) -> tuple[int, ...]:
    """What the first `layers` layers (all of them when None) make of a sample of `shape`: (C, H, W)
    or, of a critic that ends in a mean, (C,); UserError where a sample is too small for them."""
    if network.critic is not None:
        return _traced(make_layers(network, shape)[:layers], shape)
    channels, height, width = shape
    for number, outputs in enumerate(network.channels[:layers], start=1):
        # An even kernel leaves one row and one column more.
        grown = 1 - network.kernel % 2
        channels, height, width = outputs, height + grown, width + grown
        if number in network.pool_after:
            height, width = height // 2, width // 2
        if min(height, width) < 1:
            raise UserError(
                f"Images of {shape[1]} x {shape[2]} are too small for the pooling after layer "
                f"{number}; take away some of network.pool_after, or set data.size."
            )
    return channels, height, width


def _traced(layers: Sequence[nn.Module], shape: Shape) -> tuple[int, ...]:
    """The shape of what layers make of an empty sample."""
    x = torch.zeros(2, *shape)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        for layer in layers:
            x = layer.eval()(x)
    return tuple(x.shape[1:])


def refuse_unfit(recipe: ClassifierRecipe, shape: Shape) -> None:
    """UserError where a recipe's network does not fit samples of this shape."""
    feature_shape(recipe.network, shape)
    depth, sharing = len(make_layers(recipe.network, shape)), recipe.sharing
    if sharing.kind != "none" and sharing.layers > depth:
        raise UserError(
            f"Recipe {recipe.name}: sharing.layers={sharing.layers} is beyond the network's "
            f"{depth} layers; take b from 0 to {depth}."
        )


class MultitaskClassifier(nn.Module):
    """A trunk that all tasks share, and a branch for each.

    classes: K by task. The trunk has the first b layers under hard sharing and is empty
    otherwise; under soft sharing every task has a whole network. A task's layers begin alike for
    a given seed however they are shared; a trunk begins as the main task's layers would.
    """

    def __init__(
        self,
        network: Network,
        sharing: ClassifierSharing,
        shape: Shape,
        classes: Mapping[str, int],
        seed: int = 0,
    ) -> None:
        super().__init__()
        features = feature_shape(network, shape)
        whole = {}
        for task, count in classes.items():
            whole[task] = TaskHead(make_layers(network, shape), math.prod(features), count)
            generator = torch.Generator().manual_seed(mix_seed(seed, "weights", task))
            initialize(whole[task], "glorot-uniform", generator)
        shared = sharing.layers if sharing.kind == "hard" else 0
        self.trunk = nn.ModuleList(next(iter(whole.values())).layers[:shared])
        for branch in whole.values():
            branch.layers = branch.layers[shared:]
        self.branches = nn.ModuleDict(whole)
        self.sharing = sharing
        NORMS.get(sharing.norm)  # a misspelled one is refused here

    def forward(self, samples: Tensor, task: str) -> Tensor:
        """Samples [N, C, H, W] in [-1, 1] to the logits [N, K] of a task."""
        x = samples
        for layer in self.trunk:
            x = layer(x)
        return self.branches[task](x)

    def places(self) -> Places:
        """Its layers by name, for mtgan.nets.layers: the trunk's, and each task's."""
        trunk = chain(self.trunk)
        places = dict(trunk)
        for task, branch in self.branches.items():
            assert isinstance(branch, TaskHead)
            end = ["", *trunk][-1]
            own = chain(branch.layers, first=len(trunk) + 1, of=task, after=end)
            places |= own
            places[f"{task} classes"] = Place(branch.linear, [end, *own][-1])
        return places

    def layers_of(self, task: str) -> list[nn.Module]:
        """The convolutional layers that a task's samples pass, in order."""
        branch = self.branches[task]
        assert isinstance(branch, TaskHead)
        return [*self.trunk, *branch.layers]

    def distance(self, moving: str = "main") -> Tensor:
        """||W_main,b - W_aux,b||, the recipe's norm over the kernels of the first b layers
        (thesis, eq. 2.1), as a function of the weights of the task `moving` alone: the other
        task's are held, and move in its own steps. 0 under hard sharing or for one task."""
        if len(self.branches) < 2 or self.sharing.kind != "soft" or not self.sharing.layers:
            return torch.zeros(())
        mine, other = (
            kernel_weights(self.layers_of(task)[: self.sharing.layers])
            for task in (moving, *(name for name in self.branches if name != moving))
        )
        return shared_distance(self.sharing.norm, mine, [weight.detach() for weight in other])
