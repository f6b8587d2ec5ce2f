"""Soft sharing: norms that draw the first layers of two networks together, one file each.

A norm takes the corresponding weights of two networks, layer by layer, to one scalar.
"""

from collections.abc import Sequence

from torch import Tensor

from mtgan.parts import NORMS


def shared_distance(norm: str, first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    """The named norm of the difference (or, for "trace", of the stack) of two lists of weights."""
    return NORMS.get(norm)(first, second)
