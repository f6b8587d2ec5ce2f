"""The networks of R3GAN (Huang et al. 2024, "The GAN is dead; long live the GAN!", section 4 and
appendix; released code), by rule for any image size.

Stages of two residual blocks each, one stage per resolution: 1 x 1 convolution to twice the
channels, grouped convolution (16 channels a group), 1 x 1 convolution back, all with biases, leaky
ReLUs between them, and nothing behind the sum. A block begins as the identity: its last
convolution is zero (Zhang et al. 2019, Fixup). The generator begins with a learned map of the
coarsest resolution, scaled channel by channel by a linear layer of the latent; the discriminator
ends with one weight per channel and position. Resolutions change by bilinear interpolation and
means over 2 x 2 patches, with a 1 x 1 convolution where the channels change.

The source normalizes nothing; generator.normalization and discriminator.normalization stand
between convolution and leaky ReLU where they are not `none`. Not the source's: a tanh of the
images, and equal scales of the first two convolutions at any depth.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from mtgan.nets.attention import attend, unbound
from mtgan.nets.backbone import DiscriminatorSettings, GeneratorSettings, Shape
from mtgan.nets.backbones.conv import channel_counts, check_sides, pyramid
from mtgan.nets.backbones.resnet import convolution, halve
from mtgan.nets.fast import Conv2d, LeakyReLU
from mtgan.nets.heads import Bound
from mtgan.parts import BACKBONES

AnySettings = GeneratorSettings | DiscriminatorSettings

_BLOCKS = 2  # of a stage
_EXPANSION = 2
_OF_A_GROUP = 16  # channels


class ZeroConv2d(Conv2d):
    """A convolution that begins at zero."""

    own_initialization = True

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


def groups_of(channels: int) -> int:
    """The most groups of at least 16 channels each that the channels can be parted into."""
    return next(n for n in range(max(1, channels // _OF_A_GROUP), 0, -1) if channels % n == 0)


def _of_the_player(settings: AnySettings) -> tuple[Bound, Callable[[], nn.Module]]:
    """What bounds its layers, and what makes its activations."""
    if isinstance(settings, DiscriminatorSettings):
        return settings.bound, settings.activate
    return unbound, lambda: LeakyReLU(0.2)


class Block(nn.Module):
    """x plus a bottleneck of it, [N, C, H, W] -> [N, C, H, W]."""

    def __init__(self, settings: AnySettings, channels: int) -> None:
        super().__init__()
        wide, kernel = _EXPANSION * channels, settings.kernel
        bound, activate = _of_the_player(settings)
        self.expand = bound(convolution(channels, wide, 1))
        self.mix = bound(
            Conv2d(wide, wide, kernel, padding=kernel // 2, groups=groups_of(wide), bias=True)
        )
        # Zero cannot be normalized by its spectral norm.
        last = Conv2d if settings.spectral_norm else ZeroConv2d
        self.reduce = bound(convolution(wide, channels, 1, last))
        self.first_norm, self.second_norm = settings.normalize(wide), settings.normalize(wide)
        self.first_activation, self.second_activation = activate(), activate()

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        h = self.first_activation(self.first_norm(self.expand(x), y))
        h = self.second_activation(self.second_norm(self.mix(h), y))
        size = x.shape[2:]
        return x + self.reduce(h)[:, :, : size[0], : size[1]]


class Stage(nn.Module):
    """The blocks of one resolution between what leads to it and what leads on."""

    def __init__(
        self, settings: AnySettings, channels: int, before: nn.Module, after: nn.Module
    ) -> None:
        super().__init__()
        self.before, self.after = before, after
        self.blocks = nn.ModuleList(Block(settings, channels) for _ in range(_BLOCKS))

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        x = self.before(x)
        for block in self.blocks:
            x = block(x, y)
        return self.after(x)


class Basis(nn.Module):
    """[N, inputs] -> [N, C, h, w]: a learned map, each channel scaled by a sum of the inputs."""

    def __init__(self, inputs: int, channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.map = nn.Parameter(torch.randn(channels, *size))
        self.linear = nn.Linear(inputs, channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.map * self.linear(x)[:, :, None, None]


class Up(nn.Module):
    """[N, A, h, w] -> [N, B, H, W]: channels first, which is cheaper, then the resolution."""

    def __init__(self, inputs: int, outputs: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size
        self.channels = change(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return interpolate(self.channels(x), self.size, mode="bilinear", align_corners=False)


class Down(nn.Module):
    """[N, A, H, W] -> [N, B, h, w]."""

    def __init__(self, channels: nn.Module) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        return self.channels(halve(x))


def change(inputs: int, outputs: int, bound: Bound = unbound) -> nn.Module:
    """A 1 x 1 convolution where the number of channels changes."""
    return nn.Identity() if inputs == outputs else bound(convolution(inputs, outputs, 1))


@BACKBONES.register("r3gan")
class R3GAN:
    """width: channels at the image's resolution; doubled per halving up to 8-fold, as the source
    does at 256 pixels (96; 768 at all resolutions of its networks for CIFAR-10)."""

    attention = True
    odd_kernels = True

    def check_shape(self, shape: Shape) -> None:
        check_sides("r3gan", shape)

    def generator_layers(self, settings: GeneratorSettings) -> list[nn.Module]:
        counts, sizes = _counts(settings)[::-1], pyramid(*settings.shape[1:])[::-1]
        first = Stage(
            settings, counts[0], Basis(settings.inputs, counts[0], sizes[0]), nn.Identity()
        )
        stages = (
            Stage(settings, counts[i], Up(counts[i - 1], counts[i], sizes[i]), nn.Identity())
            for i in range(1, len(sizes))
        )
        maps = [(count, *size) for count, size in zip(counts, sizes, strict=True)]
        last = ToImage(counts[-1], settings.shape[0])
        return [*attend([first, *stages], maps, settings.attention), last]

    def discriminator_layers(self, settings: DiscriminatorSettings) -> list[nn.Module]:
        counts, sizes = _counts(settings), pyramid(*settings.shape[1:])
        bound, last = settings.bound, counts[-1]
        first = bound(convolution(settings.shape[0], counts[0], 1))
        before = [first, *(nn.Identity() for _ in counts[1:])]
        basis = bound(nn.Conv2d(last, last, sizes[-1], groups=last, bias=False))
        after = [*(Down(change(*pair, bound)) for pair in pairwise(counts)), basis]
        layers = [Stage(settings, *parts) for parts in zip(counts, before, after, strict=True)]
        maps = [(count, *size) for count, size in zip(counts[1:], sizes[1:], strict=True)]
        return [*attend(layers[:-1], maps, settings.attention, bound), layers[-1]]

    def feature_count(self, settings: DiscriminatorSettings) -> int:
        return _counts(settings)[-1]


class ToImage(nn.Module):
    """A 1 x 1 convolution and tanh."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = convolution(inputs, outputs, 1)
        self.tanh = nn.Tanh()

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.tanh(self.convolution(x))


def _counts(settings: AnySettings) -> list[int]:
    """Channels of each resolution, the image's first."""
    return channel_counts(settings.width, len(pyramid(*settings.shape[1:])))
