"""How the terms of a discriminator's loss become one gradient: the only place that calls backward.

Terms belong to tasks: "" is the adversarial task, with its penalties and what pulls shared layers
together; every classification task has its own. An aggregator weighs the tasks against each other;
the recipe's fixed weights come first.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from mtgan import processes
from mtgan.errors import import_extra
from mtgan.parts import AGGREGATORS
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


def _descend(total: Tensor, parameters: Sequence[nn.Parameter]) -> Tensor:
    """Set .grad of the parameters to the loss's, averaged over the processes; returns the loss."""
    total.backward()
    processes.average_gradients([p.grad for p in parameters if p.grad is not None])
    return total


@AGGREGATORS.register("sum")
class WeightedSum:
    """The recipe's fixed weights."""

    weighs_tasks = False

    def __init__(self, tasks: Sequence[str] = ()) -> None:
        pass

    def backward(self, result: StepResult, parameters: Sequence[nn.Parameter]) -> Tensor:
        return _descend(weighted_sum(result.terms), parameters)


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
        return _descend(total, parameters)


AGGREGATORS.register("uncertainty")(Uncertainty)


class JacobianAggregator:
    """Combines the tasks' gradients where they meet, and adds them up elsewhere.

    `combine` maps the Jacobian [tasks, parameters] of all parameters that at least two tasks reach
    to one gradient [parameters]; heads are reached by one task, and get its gradient as it is.
    """

    def __init__(self, combine: Callable[[Tensor], Tensor]) -> None:
        self.combine = combine

    def backward(self, result: StepResult, parameters: Sequence[nn.Parameter]) -> Tensor:
        losses = list(task_losses(result.terms).values())
        rows = [
            torch.autograd.grad(
                loss, parameters, retain_graph=i + 1 < len(losses), allow_unused=True
            )
            for i, loss in enumerate(losses)
        ]
        # Before they are combined, which is not linear in them.
        processes.average_gradients([g for row in rows for g in row if g is not None])
        columns = [[g for g in column if g is not None] for column in zip(*rows, strict=True)]
        shared = [i for i, column in enumerate(columns) if len(column) > 1]
        for parameter, column in zip(parameters, columns, strict=True):
            parameter.grad = column[0] if column else None
        if shared:
            self._combine(parameters, rows, shared)
        return torch.stack(losses).sum()

    def _combine(
        self,
        parameters: Sequence[nn.Parameter],
        rows: Sequence[Sequence[Tensor | None]],
        shared: Sequence[int],
    ) -> None:
        def flat(row: Sequence[Tensor | None]) -> Tensor:
            missing = (
                torch.zeros_like(parameters[i]) if row[i] is None else row[i] for i in shared
            )
            return torch.cat([g.reshape(-1) for g in missing])  # type: ignore[union-attr]

        gradient = self.combine(torch.stack([flat(row) for row in rows]))
        sizes = [parameters[i].numel() for i in shared]
        for i, part in zip(shared, gradient.split(sizes), strict=True):
            # In the parameter's memory layout: fused optimizers walk both side by side.
            parameters[i].grad = torch.empty_like(parameters[i]).copy_(part.view_as(parameters[i]))


def _from_torchjd(name: str) -> Callable[[Sequence[str]], Aggregator]:
    def build(tasks: Sequence[str]) -> Aggregator:
        module = import_extra("torchjd.aggregation", "mtl", f"The aggregator {name}")
        return JacobianAggregator(getattr(module, name)())

    return build


# Quinton & Rey 2024; Desideri 2012; Yu et al. 2020; Liu et al. 2021; Senushkin et al. 2023.
AGGREGATORS.register("upgrad")(_from_torchjd("UPGrad"))
AGGREGATORS.register("mgda")(_from_torchjd("MGDA"))
AGGREGATORS.register("pcgrad")(_from_torchjd("PCGrad"))
AGGREGATORS.register("imtl-g")(_from_torchjd("IMTLG"))
AGGREGATORS.register("aligned-mtl")(_from_torchjd("AlignedMTL"))
