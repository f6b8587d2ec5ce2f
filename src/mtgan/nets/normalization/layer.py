"""Layer normalization (Ba et al. 2016)."""

from torch import nn

from mtgan.nets.normalization.base import Unconditional
from mtgan.parts import NORMALIZATIONS


@NORMALIZATIONS.register("layer")
class Layer(Unconditional):
    """Over all channels and positions of one sample: a single group."""

    def __init__(self, channels: int, classes: int = 0) -> None:
        super().__init__(nn.GroupNorm(1, channels))
