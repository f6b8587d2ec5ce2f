"""The plain sum of a step's terms."""

from collections.abc import Sequence

from torch import Tensor, nn

from mtgan.parts import AGGREGATORS
from mtgan.training.aggregate import descend, weighted_sum
from mtgan.training.steps import StepResult


@AGGREGATORS.register("sum")
class WeightedSum:
    """The recipe's fixed weights."""

    weighs_tasks = False

    def __init__(self, tasks: Sequence[str] = ()) -> None:
        pass

    def backward(self, result: StepResult, parameters: Sequence[nn.Parameter]) -> Tensor:
        return descend(weighted_sum(result.terms), parameters)
