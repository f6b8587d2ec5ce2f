"""Normalization layers under one signature, forward(x, y): x [N, C, H, W] or [N, C], y [N] or None.

y holds class indices and is read by the conditional kinds alone.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from mtgan import processes
from mtgan.parts import NORMALIZATIONS

# A factory takes (channels, classes) to a layer; classes is 0 where nothing is conditioned.
NormalizationFactory = Callable[[int, int], nn.Module]

# Those that let one sample's output depend on the others of its batch.
MIXES_SAMPLES = frozenset({"batch", "conditional-batch"})


class Unconditional(nn.Module):
    """A layer of one argument under the common signature."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.layer(x)


class Batch(nn.modules.batchnorm._BatchNorm):
    """Batch normalization (Ioffe & Szegedy 2015; thesis, C.1) of [N, C] or [N, C, H, W].

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


class Instance(nn.Module):
    """Instance normalization without gain or bias of its own (thesis, eq. C.3).

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


class Conditional(nn.Module):
    """A normalization whose gain and bias are looked up by class.

    Conditional instance normalization (Dumoulin et al. 2017; thesis, eq. C.4) or conditional
    batch normalization (what the code of Gulrajani et al. 2017 does), by the layer given. Gains
    begin at 1 and biases at 0.
    """

    def __init__(self, layer: nn.Module, channels: int, classes: int) -> None:
        super().__init__()
        self.layer = layer
        self.gain = nn.Embedding(classes, channels)
        self.bias = nn.Embedding(classes, channels)
        nn.init.ones_(self.gain.weight)
        nn.init.zeros_(self.bias.weight)

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        assert y is not None, "conditional normalization needs class indices"
        shape = (x.shape[0], -1, *[1] * (x.dim() - 2))
        return torch.addcmul(self.bias(y).view(shape), self.layer(x), self.gain(y).view(shape))


@NORMALIZATIONS.register("none")
def none(channels: int, classes: int) -> nn.Module:
    return Unconditional(nn.Identity())


@NORMALIZATIONS.register("batch")
def batch(channels: int, classes: int) -> nn.Module:
    return Unconditional(Batch(channels))


@NORMALIZATIONS.register("instance")
def instance(channels: int, classes: int) -> nn.Module:
    return Unconditional(Instance())


@NORMALIZATIONS.register("layer")
def layer(channels: int, classes: int) -> nn.Module:
    """Over all channels and positions of one sample: a single group (Ba et al. 2016)."""
    return Unconditional(nn.GroupNorm(1, channels))


@NORMALIZATIONS.register("conditional-batch")
def conditional_batch(channels: int, classes: int) -> nn.Module:
    return Conditional(Batch(channels, affine=False), channels, classes)


@NORMALIZATIONS.register("conditional-instance")
def conditional_instance(channels: int, classes: int) -> nn.Module:
    return Conditional(Instance(), channels, classes)
