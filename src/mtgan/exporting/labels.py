"""The labels that a network is told, as inputs of a file."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mtgan.data.numbers import STEPS
from mtgan.nets import Labels
from mtgan.training.batches import columns
from mtgan.training.dataset_info import DatasetInfo


class LabelInputs:
    """`label`, int64 [N], or [N, L] of several levels, a column each in the order of `levels`; and
    `number`, float32 [N] or [N, K], in the units of the data.

    told: the levels that the network is told; needed: all that it reads, of which the others have
    no effect (a schedule has not switched them on).
    """

    def __init__(self, info: DatasetInfo, told: Sequence[str], needed: Sequence[str]) -> None:
        self.info = info
        self.classes = [level for level in told if level not in info.numbers]
        self.numbers = [level for level in told if level in info.numbers]
        self.untold = [level for level in needed if level not in told]

    def facts(self) -> dict[str, dict[str, Any]]:
        """What there is to say of these inputs, by name."""
        found: dict[str, dict[str, Any]] = {}
        if self.classes:
            names = self.info.taxonomy.classes
            levels = [{"level": level, "classes": list(names[level])} for level in self.classes]
            shape = _shape(len(self.classes))
            found["label"] = {"type": "int64", "shape": shape, "levels": levels}
        if self.numbers:
            ranges = {name: self.info.numbers[name] for name in self.numbers}
            numbers = [{"number": k, "low": r.low, "high": r.high} for k, r in ranges.items()]
            shape = _shape(len(self.numbers))
            found["number"] = {"type": "float32", "shape": shape, "numbers": numbers}
        return found

    def tensors(self, rows: Tensor) -> tuple[Tensor, ...]:
        """The inputs of label rows [N, L], which have a label at all levels that are told."""
        given = columns(rows, self.info.taxonomy.levels)
        found = [[given[level] for level in self.classes]]
        values = ((k, self.info.numbers[k].values(given[k].numpy())) for k in self.numbers)
        found.append([torch.from_numpy(value) for _, value in values])
        return tuple(torch.stack(x, dim=1) if len(x) > 1 else x[0] for x in found if x)

    def read(self, tensors: Sequence[Tensor], like: Tensor) -> Labels:
        """The inputs as networks take labels, level -> [N]; like: [N, ...]."""
        left, labels = list(tensors), dict[str, Tensor]()
        if self.classes:
            labels |= zip(self.classes, _columns(left.pop(0)), strict=False)
        if self.numbers:
            for name, values in zip(self.numbers, _columns(left.pop(0)), strict=False):
                known = self.info.numbers[name]
                shares = ((values - known.low) / (known.width or 1.0)).clamp(0.0, 1.0)
                labels[name] = (shares * STEPS).round().to(torch.int64)
        nothing = torch.zeros_like(like.flatten(1)[:, 0], dtype=torch.int64)
        return labels | dict.fromkeys(self.untold, nothing)


def _shape(count: int) -> list[Any]:
    return ["N"] if count == 1 else ["N", count]


def _columns(values: Tensor) -> Sequence[Tensor]:
    return [values] if values.dim() == 1 else values.unbind(dim=1)
