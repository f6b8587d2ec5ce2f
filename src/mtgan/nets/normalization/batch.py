"""Batch normalization (Ioffe & Szegedy 2015; thesis, C.1), also by class."""

from typing import Any

import torch
from torch import Tensor, nn

from mtgan import processes
from mtgan.nets.normalization.base import Conditional, Unconditional
from mtgan.parts import NORMALIZATIONS


class BatchNorm(nn.modules.batchnorm._BatchNorm):
    """Of [N, C] or [N, C, H, W].

    Where several processes train together, over the joint batch of all.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in {2, 4}:
            raise AssertionError(f"expected [N, C] or [N, C, H, W], found {list(input.shape)}")

    def forward(self, input: Tensor) -> Tensor:
        if self.training and processes.count() > 1:
            self._check_input_dim(input)
            return self._over_processes(input.float()).to(input.dtype)
        return super().forward(input)

    def _over_processes(self, x: Tensor) -> Tensor:
        """SyncBatchNorm of PyTorch runs on GPUs alone; this one wherever processes can average."""
        dims = (0, *range(2, x.dim()))
        shape = (1, -1, *[1] * (x.dim() - 2))
        mean = processes.average(x.mean(dims))
        centered = x - mean.view(shape)
        variance = processes.average(centered.square().mean(dims))
        with torch.no_grad():
            kept: Any = self
            n = processes.count() * x.numel() // x.shape[1]
            kept.running_mean.lerp_(mean, kept.momentum)
            kept.running_var.lerp_(variance * n / (n - 1), kept.momentum)
            kept.num_batches_tracked.add_(1)
        y = centered * torch.rsqrt(variance + self.eps).view(shape)
        return y * self.weight.view(shape) + self.bias.view(shape) if self.affine else y


@NORMALIZATIONS.register("batch")
class Batch(Unconditional):
    """With a gain and bias for each channel."""

    mixes_samples = True

    def __init__(self, channels: int, classes: int = 0) -> None:
        super().__init__(BatchNorm(channels))


@NORMALIZATIONS.register("conditional-batch")
class ConditionalBatch(Conditional):
    """With a gain and bias for each class (what the code of Gulrajani et al. 2017 does)."""

    mixes_samples = True
    conditional = True

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__(BatchNorm(channels, affine=False), channels, classes)
