"""The discriminator's last step: features, and the labels beside them, to a score.

A head is registered under the name that `discriminator.conditioning` takes. N: batch; F: features;
K: classes of a label level.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from mtgan.nets.ops import LeakyReLU
from mtgan.parts import HEADS

Labels = Mapping[str, Tensor]
Bound = Callable[[nn.Module], nn.Module]


def as_levels(levels: str | Sequence[str] | None) -> tuple[str, ...]:
    """One level, several or none as a tuple."""
    return (levels,) if isinstance(levels, str) else tuple(levels or ())


class LabelVector(nn.Module):
    """Labels as one vector: the one-hot codes of the given levels, side by side.

    Only the blocks of `levels` are filled: networks that share layers and serve one level each
    tell their levels apart by it. A missing label (-1) is all zeros.
    """

    def __init__(self, classes: Mapping[str, int], levels: str | Sequence[str] | None) -> None:
        super().__init__()
        self.classes = dict(classes)
        self.levels = as_levels(levels)

    @property
    def length(self) -> int:
        return sum(self.classes.values())

    def forward(self, labels: Labels, like: Tensor) -> Tensor:
        """[N, sum of K] in the type and on the device of `like` [N, ...]."""
        blocks = []
        for level, count in self.classes.items():
            if level in self.levels:
                index = torch.arange(count, device=like.device)
                blocks.append((labels[level][:, None] == index).to(like.dtype))
            else:
                blocks.append(like.new_zeros(len(like), count))
        return torch.cat(blocks, dim=1)


# A factory takes (features F, the label vector, spectral normalization or nothing) to a module
# whose forward(features [N, F], labels) gives scores [N].
HeadFactory = Callable[[int, LabelVector, Bound], nn.Module]


@HEADS.register("none")
class Unconditional(nn.Module):
    """One linear layer."""

    def __init__(self, features: int, labels: LabelVector, bound: Bound) -> None:
        super().__init__()
        self.linear = bound(nn.Linear(features, 1))

    def forward(self, features: Tensor, labels: Labels) -> Tensor:
        return self.linear(features).squeeze(1)


@HEADS.register("concat")
class Concat(nn.Module):
    """The label vector joins the features before the output layer (cWGAN.a; thesis 4.0.2)."""

    def __init__(self, features: int, labels: LabelVector, bound: Bound) -> None:
        super().__init__()
        self.label_vector = labels
        self.linear = bound(nn.Linear(features + labels.length, 1))

    def forward(self, features: Tensor, labels: Labels) -> Tensor:
        y = self.label_vector(labels, features)
        return self.linear(torch.cat([features, y], dim=1)).squeeze(1)


@HEADS.register("dense")
class Dense(nn.Module):
    """The label vector passes a layer of 256 units before it joins the features (cWGAN.b)."""

    def __init__(self, features: int, labels: LabelVector, bound: Bound) -> None:
        super().__init__()
        self.label_vector = labels
        self.dense = nn.Sequential(bound(nn.Linear(labels.length, 256)), LeakyReLU(0.2))
        self.linear = bound(nn.Linear(features + 256, 1))

    def forward(self, features: Tensor, labels: Labels) -> Tensor:
        y = self.dense(self.label_vector(labels, features))
        return self.linear(torch.cat([features, y], dim=1)).squeeze(1)


@HEADS.register("projection")
class Projection(nn.Module):
    """The inner product of an embedding of the label and the features is added (Miyato & Koyama
    2018, eq. 4)."""

    def __init__(self, features: int, labels: LabelVector, bound: Bound) -> None:
        super().__init__()
        self.label_vector = labels
        self.embed = bound(nn.Linear(labels.length, features, bias=False))
        self.linear = bound(nn.Linear(features, 1))

    def forward(self, features: Tensor, labels: Labels) -> Tensor:
        y = self.label_vector(labels, features)
        return self.linear(features).squeeze(1) + (self.embed(y) * features).sum(1)
