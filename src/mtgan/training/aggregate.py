"""How the terms of a discriminator's loss become one gradient: the only place that calls backward.

Terms belong to tasks: "" is the adversarial task, with its penalties and what pulls shared layers
together; every classification task has its own. An aggregator weighs the tasks against each other;
the recipe's fixed weights come first. The aggregators are in mtgan.training.aggregators, one file
each.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from mtgan import processes
from mtgan.training.steps import LossTerm, StepResult

ADVERSARIAL = ""


class Aggregator(Protocol):
    """Sets gradients from the terms of a step."""

    def backward(self, result: StepResult, parameters: Sequence[nn.Parameter]) -> Tensor:
        """Set .grad of the parameters (the aggregator's own are among them), averaged over the
        processes, and return this process's loss. What it decides may be added to result.logs."""


def weighted_sum(terms: Mapping[str, LossTerm]) -> Tensor:
    """Sum of weight times value; terms of weight 0 are left out (0 * inf would be nan)."""
    weighted = [
        t.value if t.weight == 1 else t.weight * t.value for t in terms.values() if t.weight != 0
    ]
    return torch.stack(weighted).sum()


def task_losses(terms: Mapping[str, LossTerm]) -> dict[str, Tensor]:
    """The weighted sum of each task's terms; tasks without any term of weight are left out."""
    tasks = dict.fromkeys(term.task for term in terms.values() if term.weight != 0)
    return {
        task: weighted_sum({name: term for name, term in terms.items() if term.task == task})
        for task in tasks
    }


def descend(total: Tensor, parameters: Sequence[nn.Parameter]) -> Tensor:
    """Set .grad of the parameters to the loss's, averaged over the processes; returns the loss."""
    total.backward()
    processes.average_gradients([p.grad for p in parameters if p.grad is not None])
    return total
