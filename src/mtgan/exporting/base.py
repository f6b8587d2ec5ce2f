"""What is exported, and into what: the two registries, and a network as a function of tensors.

N: samples at once, any number.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from torch import Tensor, nn

from mtgan.registry import Registry
from mtgan.training.model import Model, Step

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Program:
    """A network as a function of tensors alone.

    module: forward(*inputs) gives a tuple of outputs; inputs, outputs: what there is to say of each
    by name, in order: type, shape with "N" for the number of samples, and what its values mean.
    example: n samples of the inputs; expected: what mtgan itself makes of these.
    """

    module: nn.Module
    inputs: Mapping[str, Facts]
    outputs: Mapping[str, Facts]
    example: Callable[[int], tuple[Tensor, ...]]
    expected: Callable[[Sequence[Tensor]], list[np.ndarray]]


@dataclass(frozen=True)
class Export:
    """What was asked for: a model as of a checkpoint, and which of its networks.

    part: a name of NETWORKS, the generator when None. floats: the generator's output as float32 in
    [-1, 1], in place of uint8. license: of the weights, for the model card.
    """

    model: Model
    step: Step = None
    part: str | None = None
    floats: bool = False
    license: str | None = None


class Format(Protocol):
    """Writes an export to a path that is free, whole or not at all, after it has checked it.

    ending: of the path; "" for a folder.
    """

    ending: str

    def check(self, asked: Export) -> None:
        """UserError where it cannot hold what was asked for, or a package is missing."""

    def write(self, asked: Export, out: Path) -> None: ...


FORMATS: "Registry[Format]" = Registry(
    "export format", "mtgan.exporting.formats", has=("ending", "check", "write")
)
NETWORKS: "Registry[Callable[[Export], Program]]" = Registry(
    "network to export", "mtgan.exporting.networks", has=("__call__",)
)
