"""Regression of a number (Ding et al. 2021, CcGAN, have it as an embedding's pretraining)."""

from collections.abc import Sequence

from torch import Tensor

from mtgan.nets import HeadOutput
from mtgan.nets.heads import scaled
from mtgan.nets.label_axes import Entry
from mtgan.objectives.classes import HeadClasses
from mtgan.objectives.heads.base import OneOfMany
from mtgan.objectives.tasks import at_least_float32
from mtgan.parts import HEAD_LOSSES


@HEAD_LOSSES.register("squared-error")
class SquaredError(OneOfMany):
    """(output - number)^2, the number scaled to [-1, 1] over the range of the training data."""

    of_numbers = True

    def outputs(self, classes: HeadClasses, sizes: Sequence[int]) -> int:
        return 1

    def entries(
        self, classes: HeadClasses, levels: Sequence[str], sizes: Sequence[int]
    ) -> tuple[Entry, ...]:
        return (f"{levels[0]}: value",)

    def per_sample(self, output: HeadOutput, target: Tensor) -> Tensor:
        distances = at_least_float32(output.logits).squeeze(-1) - scaled(target)
        return distances.square() * (target >= 0)
