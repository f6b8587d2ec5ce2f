"""What a head is, and the labels that it is given, as one vector."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

Labels = Mapping[str, Tensor]
Bound = Callable[[nn.Module], nn.Module]


def as_levels(levels: str | Sequence[str] | None) -> tuple[str, ...]:
    """One level, several or none as a tuple."""
    return (levels,) if isinstance(levels, str) else tuple(levels or ())


class Strengths(nn.Module):
    """How strongly each of some levels is told, from 0 (not at all) to 1, as a schedule has it."""

    values: Tensor  # [L]

    def __init__(self, levels: Sequence[str]) -> None:
        super().__init__()
        self.levels = tuple(levels)
        self.register_buffer("values", torch.ones(len(self.levels)))

    def of(self, level: str) -> Tensor:
        """The strength of a level, a scalar on the device."""
        return self.values[self.levels.index(level)]

    def set(self, strengths: Mapping[str, float]) -> None:
        """Set those of all levels; the device is not waited for."""
        for i, level in enumerate(self.levels):
            self.values[i].fill_(strengths[level])


class LabelVector(nn.Module):
    """Labels as one vector: the one-hot codes of the given levels, side by side.

    Only the blocks of `levels` are filled: networks that share layers and serve one level each
    tell their levels apart by it. A missing label (-1) is all zeros. strengths: by which the
    blocks are multiplied, where a schedule switches levels on; None where none does.
    """

    def __init__(self, classes: Mapping[str, int], levels: str | Sequence[str] | None) -> None:
        super().__init__()
        self.classes = dict(classes)
        self.levels = as_levels(levels)
        self.strengths: Strengths | None = None

    @property
    def length(self) -> int:
        return sum(self.classes.values())

    def forward(self, labels: Labels, like: Tensor) -> Tensor:
        """[N, sum of K] in the type and on the device of `like` [N, ...]."""
        blocks = []
        for level, count in self.classes.items():
            if level in self.levels:
                index = torch.arange(count, device=like.device)
                block = (labels[level][:, None] == index).to(like.dtype)
                if self.strengths is not None:
                    block = block * self.strengths.of(level)
                blocks.append(block)
            else:
                blocks.append(like.new_zeros(len(like), count))
        return torch.cat(blocks, dim=1)


# A factory takes (features F, the label vector, spectral normalization or nothing) to a module
# whose forward(features [N, F], labels) gives scores [N].
HeadFactory = Callable[[int, LabelVector, Bound], nn.Module]
