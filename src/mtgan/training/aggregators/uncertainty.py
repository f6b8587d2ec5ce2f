"""Weights that are learned (Kendall, Gal & Cipolla 2018)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mtgan.parts import AGGREGATORS
from mtgan.training.aggregate import ADVERSARIAL, descend, task_losses
from mtgan.training.steps import StepResult


@AGGREGATORS.register("uncertainty")
class Uncertainty(nn.Module):
    """Learned weights exp(-s) of the classification tasks, with s / 2 added for each.

    Kendall, Gal & Cipolla 2018 (arXiv 1705.07115), eq. 10, s = log sigma^2 of a task. The
    adversarial task keeps its weight: it is no likelihood, and where its loss is negative (a
    critic's) s would fall without end.
    """

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__()
        self.log_variances = nn.ParameterDict(
            {task: nn.Parameter(torch.zeros(())) for task in tasks}
        )

    def backward(self, result: StepResult, parameters: Sequence[nn.Parameter]) -> Tensor:
        losses = task_losses(result.terms)
        total = losses.pop(ADVERSARIAL)
        for task, loss in losses.items():
            s = self.log_variances[task]
            total = total + torch.exp(-s) * loss + s / 2
            result.logs[f"{task}/learned_weight"] = torch.exp(-s).detach()
        return descend(total, parameters)
