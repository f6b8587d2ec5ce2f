"""A head that is told no labels."""

from torch import Tensor, nn

from mtgan.nets.heads.base import Bound, Labels, LabelVector
from mtgan.parts import HEADS


@HEADS.register("none")
class Unconditional(nn.Module):
    """One linear layer."""

    def __init__(self, features: int, labels: LabelVector, bound: Bound) -> None:
        super().__init__()
        self.linear = bound(nn.Linear(features, 1))

    def forward(self, features: Tensor, labels: Labels) -> Tensor:
        return self.linear(features).squeeze(1)
