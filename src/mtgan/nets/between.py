"""Samples between two labels: every code or embedding of labels is interpolated."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from mtgan.nets.heads import Labels, LabelVector
from mtgan.nets.networks import Generator


@contextmanager
def between_labels(generator: Generator, other: Labels, share: Tensor) -> Iterator[None]:
    """Within it, the generator gives samples between the labels that it is called with (share = 0)
    and `other` ones (share = 1), as many of each as there are samples; share [N].

    What the networks are told of labels is interpolated linearly, at every place by itself.
    """

    def mix(first: Tensor, second: Tensor) -> Tensor:
        return torch.lerp(first, second, share.to(first).view(-1, *[1] * (first.dim() - 1)))

    # By `forward`, as a call would come back here.
    def vector(module: LabelVector, inputs: Any, output: Tensor) -> Tensor:
        return mix(output, module.forward(other, inputs[1]))

    def table(module: nn.Embedding, inputs: Any, output: Tensor) -> Tensor:
        assert generator.level is not None  # of which layers are given the class
        return mix(output, module.forward(other[generator.level]))

    vectors = [m for m in generator.modules() if isinstance(m, LabelVector)]
    tables = [m for m in generator.modules() if isinstance(m, nn.Embedding)]
    handles = [module.register_forward_hook(vector) for module in vectors]
    handles += [module.register_forward_hook(table) for module in tables]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
