"""A head that joins the labels to the features."""

import torch
from torch import Tensor, nn

from mtgan.nets.heads.base import Bound, Labels, LabelVector
from mtgan.nets.label_axes import LabelAxis, Told
from mtgan.parts import HEADS


@HEADS.register("concat")
class Concat(nn.Module):
    """The label vector joins the features before the output layer (cWGAN.a; thesis 4.0.2)."""

    adds_labels = True

    def __init__(self, features: int, labels: LabelVector, bound: Bound) -> None:
        super().__init__()
        self.features, self.label_vector = features, labels
        self.linear = bound(nn.Linear(features + labels.length, 1))

    def label_axes(self, told: Told) -> dict[str, LabelAxis]:
        features = (f"feature {i} of {self.features}" for i in range(self.features))
        entries = (*features, *self.label_vector.entries)
        return {"linear.weight": LabelAxis(1, entries)}

    def forward(self, features: Tensor, labels: Labels) -> Tensor:
        y = self.label_vector(labels, features)
        return self.linear(torch.cat([features, y], dim=1)).squeeze(1)
