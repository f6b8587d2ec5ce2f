"""What a head is, and the labels that it is given, as one vector."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from mtgan.data.numbers import STEPS
from mtgan.nets.label_axes import Entry, class_entries

Labels = Mapping[str, Tensor]
Bound = Callable[[nn.Module], nn.Module]


def as_levels(levels: str | Sequence[str] | None) -> tuple[str, ...]:
    """One level, several or none as a tuple."""
    return (levels,) if isinstance(levels, str) else tuple(levels or ())


def block_length(classes: int) -> int:
    """How long the block of a level of so many classes is in a label vector; one without classes
    holds numbers, and its block a value and whether it is known."""
    return classes or 2


def scaled(steps: Tensor) -> Tensor:
    """float32 [...] in [-1, 1]: numbers of so many steps from the lower end of their range; 0 where
    they are missing (-1)."""
    return torch.where(steps >= 0, steps * (2 / STEPS) - 1, 0.0)


class Strengths(nn.Module):
    """How strongly each of some levels is told, from 0 (not at all) to 1, as a schedule has it."""

    values: Tensor  # [L]

    def __init__(self, levels: Sequence[str]) -> None:
        super().__init__()
        self.levels = tuple(levels)
        # Set by the schedule in every iteration: nothing that a network has learned.
        self.register_buffer("values", torch.ones(len(self.levels)), persistent=False)

    def of(self, level: str) -> Tensor:
        """The strength of a level, a scalar on the device."""
        return self.values[self.levels.index(level)]

    def set(self, strengths: Mapping[str, float]) -> None:
        """Set those of all levels; the device is not waited for."""
        for i, level in enumerate(self.levels):
            self.values[i].fill_(strengths[level])


class LabelVector(nn.Module):
    """Labels as one vector: the one-hot codes of the given levels, side by side; of a level without
    classes, which holds numbers, (the number in [-1, 1], 1).

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
        return sum(map(block_length, self.classes.values()))

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What each of its numbers stands for."""
        return tuple(
            entry
            for level, count in self.classes.items()
            for entry in (class_entries(level, count) or (f"{level}: value", f"{level}: known"))
        )

    def forward(self, labels: Labels, like: Tensor) -> Tensor:
        """[N, length] in the type and on the device of `like` [N, ...]."""
        blocks = []
        for level, count in self.classes.items():
            if level in self.levels:
                block = _block(labels[level], count).to(like.dtype)
                if self.strengths is not None:
                    block = block * self.strengths.of(level)
                blocks.append(block)
            else:
                blocks.append(like.new_zeros(like.shape[0], block_length(count)))
        return torch.cat(blocks, dim=1)


def _block(labels: Tensor, classes: int) -> Tensor:
    """[N, block_length]: what labels [N] are in a label vector; zeros where they are missing."""
    if classes:
        return labels[:, None] == torch.arange(classes, device=labels.device)
    return torch.stack([scaled(labels), (labels >= 0).float()], dim=1)


# A factory takes (features F, the label vector, spectral normalization or nothing) to a module
# whose forward(features [N, F], labels) gives scores [N].
HeadFactory = Callable[[int, LabelVector, Bound], nn.Module]
