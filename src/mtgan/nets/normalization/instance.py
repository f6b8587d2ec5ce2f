"""Instance normalization (thesis, eq. C.3), also by class."""

import torch
from torch import Tensor, nn

from mtgan.nets.normalization.base import Conditional, Unconditional
from mtgan.parts import NORMALIZATIONS


class InstanceNorm(nn.Module):
    """Without gain or bias of its own.

    [N, C] inputs have one value per instance and channel, whose standard deviation is zero; they
    are normalized over their channels instead.
    """

    def __init__(self, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        dims = (2, 3) if x.dim() == 4 else (1,)
        # torch.var_mean would take several times as long in channels-last layout.
        centered = x - x.mean(dims, keepdim=True)
        variance = centered.square().mean(dims, keepdim=True)
        return centered * torch.rsqrt(variance + self.eps)


@NORMALIZATIONS.register("instance")
class Instance(Unconditional):
    """Without gain or bias."""

    def __init__(self, channels: int, classes: int = 0) -> None:
        super().__init__(InstanceNorm())


@NORMALIZATIONS.register("conditional-instance")
class ConditionalInstance(Conditional):
    """With a gain and bias for each class (Dumoulin et al. 2017; thesis, eq. C.4)."""

    conditional = True

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__(InstanceNorm(), channels, classes)
