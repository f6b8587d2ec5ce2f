"""Aggregators of the tasks' gradients, by the package torchjd."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from mtgan import processes
from mtgan.errors import import_extra
from mtgan.parts import AGGREGATORS
from mtgan.training.aggregate import Aggregator, task_losses
from mtgan.training.steps import StepResult


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
