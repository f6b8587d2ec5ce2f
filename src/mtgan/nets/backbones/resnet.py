"""The residual networks of WGAN-GP on CIFAR-10 (Gulrajani et al. 2017, appendix C and released
code; thesis, Appendix D and Table D.1).

For 32 x 32 at width 128: generator FC 4 x 4 x 128 = 2048, three residual blocks that double the
resolution, then normalization, ReLU and a 3 x 3 convolution; discriminator two residual blocks
that halve it and two that keep it, ReLU, mean over positions. Two convolutions per block, all
with biases. The code normalizes the generator by conditional batch normalization; the thesis
reads it as conditional instance normalization (Appendix C): generator.normalization chooses.
"""

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

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

    def __init__(self, settings: GeneratorSettings, size: tuple[int, int]) -> None:
        super().__init__()
        width = settings.width
        self.size = size
        self.first_norm, self.second_norm = settings.normalize(width), settings.normalize(width)
        self.first = convolution(width, width, settings.kernel, UpsampleConv2d)
        self.second = convolution(width, width, settings.kernel)
        self.shortcut = convolution(width, width, 1)
        self.activation = nn.ReLU()

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        h = self.activation(self.first_norm(x, y))
        h = self.first(h, self.size)
        h = self.second(self.activation(self.second_norm(h, y)))
        # A 1 x 1 convolution and a repetition of pixels commute; this order is four times cheaper.
        return h + interpolate(self.shortcut(x), size=self.size, mode="nearest")


class ToImage(nn.Module):
    """norm, ReLU, convolution, tanh."""

    def __init__(self, settings: GeneratorSettings) -> None:
        super().__init__()
        self.norm = settings.normalize(settings.width)
        self.activation = nn.ReLU()
        self.convolution = convolution(settings.width, settings.shape[0], settings.kernel)
        self.tanh = nn.Tanh()

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.tanh(self.convolution(self.activation(self.norm(x, y))))


class FirstBlock(nn.Module):
    """conv, ReLU, conv, halve, beside halve and a 1 x 1 convolution: no activation of pixels."""

    def __init__(self, settings: DiscriminatorSettings) -> None:
        super().__init__()
        channels, width = settings.shape[0], settings.width
        self.first = settings.bound(convolution(channels, width, settings.kernel))
        self.second = settings.bound(convolution(width, width, settings.kernel, ConvMeanPool2d))
        self.shortcut = settings.bound(convolution(channels, width, 1))
        self.activation = settings.activate(slope=0.0)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.activation(self.first(x))) + self.shortcut(halve(x))


class Block(nn.Module):
    """norm, ReLU, conv, norm, ReLU, conv, halved where `down`, beside a shortcut."""

    def __init__(self, settings: DiscriminatorSettings, down: bool) -> None:
        super().__init__()
        width = settings.width
        self.first_norm, self.second_norm = settings.normalize(width), settings.normalize(width)
        self.first = settings.bound(convolution(width, width, settings.kernel))
        last = ConvMeanPool2d if down else Conv2d
        self.second = settings.bound(convolution(width, width, settings.kernel, last))
        self.shortcut = settings.bound(convolution(width, width, 1)) if down else nn.Identity()
        self.resample = halve if down else nn.Identity()
        self.first_activation = settings.activate(slope=0.0)
        self.second_activation = settings.activate(slope=0.0)

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(self.first_activation(self.first_norm(x)))
        h = self.second(self.second_activation(self.second_norm(h)))
        return h + self.shortcut(self.resample(x))


class Summary(nn.Module):
    """The last block, ReLU, and the mean over positions: [N, C, H, W] -> [N, C]."""

    def __init__(self, block: nn.Module, activation: nn.Module) -> None:
        super().__init__()
        self.block = block
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.block(x)).mean((2, 3))


@BACKBONES.register("resnet")
class ResNet:
    """width: channels of every layer (128)."""

    def check_shape(self, shape: Shape) -> None:
        check_sides("resnet", shape)

    def generator_layers(self, settings: GeneratorSettings) -> list[nn.Module]:
        base, *sizes = pyramid(*settings.shape[1:])[::-1]
        stem = Stem(settings.inputs, settings.width, base, None, nn.Identity())
        return [stem, *(UpBlock(settings, size) for size in sizes), ToImage(settings)]

    def discriminator_layers(self, settings: DiscriminatorSettings) -> list[nn.Module]:
        downs = max(0, len(pyramid(*settings.shape[1:])) - 3)
        plan = [True] * downs + [False] * _FLAT_BLOCKS
        *blocks, last = (Block(settings, down) for down in plan)
        return [FirstBlock(settings), *blocks, Summary(last, settings.activate(slope=0.0))]

    def feature_count(self, settings: DiscriminatorSettings) -> int:
        return settings.width
