"""What a head is, and the labels that it is given, as one vector."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

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
