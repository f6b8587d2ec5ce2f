"""No normalization."""

from torch import nn

from mtgan.nets.normalization.base import Unconditional
from mtgan.parts import NORMALIZATIONS


@NORMALIZATIONS.register("none")
class Nothing(Unconditional):
    """Leaves everything as it is."""

    def __init__(self, channels: int, classes: int = 0) -> None:
        super().__init__(nn.Identity())
