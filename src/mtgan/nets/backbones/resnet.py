"""The residual networks of WGAN-GP on CIFAR-10 (Gulrajani et al. 2017, appendix C and released
code; thesis, Appendix D and Table D.1).

For 32 x 32 at width 128: generator FC 4 x 4 x 128 = 2048, three residual blocks that double the
resolution, then normalization, ReLU and a 3 x 3 convolution; discriminator two residual blocks
that halve it and two that keep it, ReLU, mean over positions. Two convolutions per block, all
with biases. The code normalizes the generator's blocks by conditional batch normalization, and its
last layer by one without labels (`generator.last_normalization`); the thesis reads all of it as
conditional instance normalization (Appendix C): generator.normalization chooses.
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from mtgan.nets.attention import attend
from mtgan.nets.backbone import DiscriminatorSettings, GeneratorSettings, Shape
from mtgan.nets.backbones.conv import Stem, check_sides, pyramid
from mtgan.nets.fast import Conv2d, ConvMeanPool2d, UpsampleConv2d
from mtgan.parts import BACKBONES

# Residual blocks of the discriminator that keep the resolution, after those that halve it.
_FLAT_BLOCKS = 2


def convolution(
    inputs: int, outputs: int, kernel: int, layer: type[nn.Conv2d] = Conv2d
) -> nn.Conv2d:
    return layer(inputs, outputs, kernel, padding=kernel // 2)


def halve(x: Tensor) -> Tensor:
    """Mean over 2 x 2 patches; odd sides round up, their last patch being smaller."""
    return avg_pool2d(x, 2, ceil_mode=True)


class UpBlock(nn.Module):
    """norm, ReLU, upsample, conv, norm, ReLU, conv, beside upsample and a 1 x 1 convolution."""

    def __init__(
        self, settings: GeneratorSettings, inputs: int, outputs: int, size: tuple[int, int]
    ) -> None:
        super().__init__()
        self.size = size
        self.first_norm, self.second_norm = settings.normalize(inputs), settings.normalize(outputs)
        self.first = convolution(inputs, outputs, settings.kernel, UpsampleConv2d)
        self.second = convolution(outputs, outputs, settings.kernel)
        self.shortcut = convolution(inputs, outputs, 1)
        self.activation = nn.ReLU()

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        h = self.activation(self.first_norm(x, y))
        h = self.first(h, self.size)
        h = self.second(self.activation(self.second_norm(h, y)))
        # A 1 x 1 convolution and a repetition of pixels commute; this order is four times cheaper.
        return h + interpolate(self.shortcut(x), size=self.size, mode="nearest")


class ToImage(nn.Module):
    """norm, ReLU, convolution, tanh."""

    def __init__(self, settings: GeneratorSettings, inputs: int) -> None:
        super().__init__()
        self.norm = settings.normalize_last(inputs)
        self.activation = nn.ReLU()
        self.convolution = convolution(inputs, settings.shape[0], settings.kernel)
        self.tanh = nn.Tanh()

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.tanh(self.convolution(self.activation(self.norm(x, y))))


class FirstBlock(nn.Module):
    """conv, ReLU, conv, halve, beside halve and a 1 x 1 convolution: no activation of pixels."""

    def __init__(self, settings: DiscriminatorSettings, outputs: int) -> None:
        super().__init__()
        channels = settings.shape[0]
        self.first = settings.bound(convolution(channels, outputs, settings.kernel))
        self.second = settings.bound(convolution(outputs, outputs, settings.kernel, ConvMeanPool2d))
        self.shortcut = settings.bound(convolution(channels, outputs, 1))
        self.activation = settings.activate(slope=0.0)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.activation(self.first(x))) + self.shortcut(halve(x))


class Block(nn.Module):
    """norm, ReLU, conv, norm, ReLU, conv, halved where `down`, beside a shortcut."""

    def __init__(
        self, settings: DiscriminatorSettings, inputs: int, outputs: int, down: bool
    ) -> None:
        super().__init__()
        self.first_norm, self.second_norm = settings.normalize(inputs), settings.normalize(outputs)
        self.first = settings.bound(convolution(inputs, outputs, settings.kernel))
        last = ConvMeanPool2d if down else Conv2d
        self.second = settings.bound(convolution(outputs, outputs, settings.kernel, last))
        learned = down or inputs != outputs
        self.shortcut = (
            settings.bound(convolution(inputs, outputs, 1)) if learned else nn.Identity()
        )
        self.resample = halve if down else nn.Identity()
        self.first_activation = settings.activate(slope=0.0)
        self.second_activation = settings.activate(slope=0.0)

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(self.first_activation(self.first_norm(x)))
        h = self.second(self.second_activation(self.second_norm(h)))
        return h + self.shortcut(self.resample(x))


class Summary(nn.Module):
    """The last block, ReLU, and the mean (or sum) over positions: [N, C, H, W] -> [N, C]."""

    def __init__(self, block: nn.Module, activation: nn.Module, summed: bool) -> None:
        super().__init__()
        self.block = block
        self.activation = activation
        self.summed = summed

    def forward(self, x: Tensor) -> Tensor:
        x = self.activation(self.block(x))
        return x.sum((2, 3)) if self.summed else x.mean((2, 3))


def generator_layers(settings: GeneratorSettings, counts: Sequence[int]) -> list[nn.Module]:
    """Stem, one block per doubling, and the image. counts: channels that the stem and each of the
    blocks give."""
    base, *sizes = pyramid(*settings.shape[1:])[::-1]
    stem = Stem(settings.inputs, counts[0], base, None, nn.Identity())
    blocks = (
        UpBlock(settings, *channels, size)
        for channels, size in zip(pairwise(counts), sizes, strict=True)
    )
    maps = [(count, *size) for count, size in zip(counts, [base, *sizes], strict=True)]
    return [*attend([stem, *blocks], maps, settings.attention), ToImage(settings, counts[-1])]


def discriminator_layers(
    settings: DiscriminatorSettings, counts: Sequence[int], downs: int, summed: bool = False
) -> list[nn.Module]:
    """Blocks that give so many channels each, the first `downs` of which halve the resolution; the
    last ends in the mean over positions, or where `summed` in the sum."""
    blocks = [
        FirstBlock(settings, counts[0]),
        *(
            Block(settings, *channels, down=i < downs)
            for i, channels in enumerate(pairwise(counts), start=1)
        ),
    ]
    maps, (_, height, width) = [], settings.shape
    for i, count in enumerate(counts):
        if i < downs:
            height, width = -(-height // 2), -(-width // 2)
        maps.append((count, height, width))
    *blocks, last = attend(blocks, maps, settings.attention, settings.bound)
    return [*blocks, Summary(last, settings.activate(slope=0.0), summed)]


@BACKBONES.register("resnet")
class ResNet:
    """width: channels of every layer (128)."""

    attention = True
    odd_kernels = True
    last_normalization = True

    def check_shape(self, shape: Shape) -> None:
        check_sides("resnet", shape)

    def generator_layers(self, settings: GeneratorSettings) -> list[nn.Module]:
        return generator_layers(settings, [settings.width] * len(pyramid(*settings.shape[1:])))

    def discriminator_layers(self, settings: DiscriminatorSettings) -> list[nn.Module]:
        downs = max(1, len(pyramid(*settings.shape[1:])) - 2)
        return discriminator_layers(settings, [settings.width] * (downs + _FLAT_BLOCKS), downs)

    def feature_count(self, settings: DiscriminatorSettings) -> int:
        return settings.width
