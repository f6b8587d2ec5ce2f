"""A head that compares the features with an embedding of the labels (Miyato & Koyama 2018)."""

from torch import Tensor, nn

from mtgan.nets.heads.base import Bound, Labels, LabelVector
from mtgan.nets.label_axes import LabelAxis, Told
from mtgan.parts import HEADS


@HEADS.register("projection")
class Projection(nn.Module):
    """The inner product of an embedding of the label and the features is added (Miyato & Koyama
    2018, eq. 4)."""

    def __init__(self, features: int, labels: LabelVector, bound: Bound) -> None:
        super().__init__()
        self.label_vector = labels
        self.embed = bound(nn.Linear(labels.length, features, bias=False))
        self.linear = bound(nn.Linear(features, 1))

    def label_axes(self, told: Told) -> dict[str, LabelAxis]:
        return {"embed.weight": LabelAxis(1, self.label_vector.entries)}

    def forward(self, features: Tensor, labels: Labels) -> Tensor:
        y = self.label_vector(labels, features)
        return self.linear(features).squeeze(1) + (self.embed(y) * features).sum(1)
