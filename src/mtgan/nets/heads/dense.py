"""A head that joins the labels to the features after a layer of their own."""

import torch
from torch import Tensor, nn

from mtgan.nets.fast import LeakyReLU
from mtgan.nets.heads.base import Bound, Labels, LabelVector
from mtgan.nets.label_axes import LabelAxis, Told
from mtgan.parts import HEADS


@HEADS.register("dense")
class Dense(nn.Module):
    """The label vector passes a layer of 256 units before it joins the features (cWGAN.b)."""

    adds_labels = True

    def __init__(self, features: int, labels: LabelVector, bound: Bound) -> None:
        super().__init__()
        self.label_vector = labels
        self.dense = nn.Sequential(bound(nn.Linear(labels.length, 256)), LeakyReLU(0.2))
        self.linear = bound(nn.Linear(features + 256, 1))

    def label_axes(self, told: Told) -> dict[str, LabelAxis]:
        return {"dense.0.weight": LabelAxis(1, self.label_vector.entries)}

    def forward(self, features: Tensor, labels: Labels) -> Tensor:
        y = self.dense(self.label_vector(labels, features))
        return self.linear(torch.cat([features, y], dim=1)).squeeze(1)
