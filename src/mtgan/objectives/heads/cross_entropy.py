"""Softmax cross-entropy (Odena et al. 2017)."""

from torch import Tensor

from mtgan.nets import HeadOutput
from mtgan.objectives.heads.base import OneOfMany
from mtgan.objectives.tasks import cross_entropies
from mtgan.parts import HEAD_LOSSES


@HEAD_LOSSES.register("cross-entropy")
class CrossEntropy(OneOfMany):
    """-log softmax(logits)[class], in nats."""

    def per_sample(self, output: HeadOutput, target: Tensor) -> Tensor:
        return cross_entropies(output.logits, target)
