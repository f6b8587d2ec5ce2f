"""The thesis's convolutional networks (Tables 4.2 and 4.3), by rule for any image size.

For 32 x 32 RGB at width 64 the rule gives the thesis's numbers: a fully connected layer to
4 x 4 x 256 = 4096, up-convolutions 256 -> 128 -> 64 -> 3, and down-convolutions 3 -> 64 -> 128
-> 256 whose 4096 outputs feed the heads. (The table names each up-convolution by the channels
that it takes in, as in the code that it was derived from.) Batch normalization after the dense
layer is per channel (thesis, C.0.1); released code has it per output (stem_normalization).

N: batch; C, H, W: sample; h, w: base resolution, at most 6 on the shorter side.
"""

from itertools import pairwise

from torch import Tensor, nn

from mtgan.errors import UserError
from mtgan.nets.attention import attend
from mtgan.nets.backbone import (
    DiscriminatorSettings,
    GeneratorSettings,
    Shape,
)
from mtgan.nets.fast import Conv2d
from mtgan.nets.upsampling import UPSAMPLINGS
from mtgan.parts import BACKBONES

_SMALLEST, _LARGEST = 8, 256


def pyramid(height: int, width: int) -> list[tuple[int, int]]:
    """Resolutions from the image down: halved, rounding up, until the shorter side is at most 6.

    28 -> 14 -> 7 -> 4; 32 -> 16 -> 8 -> 4; 48 -> 24 -> 12 -> 6; (64, 128) -> ... -> (4, 8).
    """
    sizes = [(height, width)]
    while min(sizes[-1]) > 6:
        h, w = sizes[-1]
        sizes.append((-(-h // 2), -(-w // 2)))
    return sizes


def channel_counts(width: int, halvings: int) -> list[int]:
    """Channels after each halving: width, doubled each time up to eight-fold."""
    return [width * min(2**i, 8) for i in range(halvings)]


def check_sides(backbone: str, shape: Shape) -> None:
    """UserError unless both sides are of 8 to 256 pixels."""
    _, height, width = shape
    if not (min(height, width) >= _SMALLEST and max(height, width) <= _LARGEST):
        raise UserError(
            f"The backbone {backbone} makes images with sides of {_SMALLEST} to {_LARGEST} pixels, "
            f"and these are {height} x {width}; set data.size (--set data.size=32)."
        )


class Stem(nn.Module):
    """Fully connected layer to the base resolution: [N, inputs] -> [N, channels, h, w].

    per_feature: whether the normalization is of the layer's outputs [N, channels * h * w].
    """

    def __init__(
        self,
        inputs: int,
        channels: int,
        size: tuple[int, int],
        normalization: nn.Module | None,
        activation: nn.Module,
        per_feature: bool = False,
    ) -> None:
        super().__init__()
        self.shape = (channels, *size)
        self.per_feature = per_feature
        self.linear = nn.Linear(inputs, channels * size[0] * size[1])
        self.normalization = normalization
        self.activation = activation

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        x = self.linear(x)
        if self.normalization is not None and self.per_feature:
            x = self.normalization(x, y)
        x = x.view(-1, *self.shape)
        if self.normalization is not None and not self.per_feature:
            x = self.normalization(x, y)
        return self.activation(x)


class UpBlock(nn.Module):
    """Upsampling with a convolution, normalization, ReLU: doubles H and W (or one less)."""

    def __init__(
        self, upsample: nn.Module, normalization: nn.Module | None, activation: nn.Module
    ) -> None:
        super().__init__()
        self.upsample = upsample
        self.normalization = normalization
        self.activation = activation

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        x = self.upsample(x)
        if self.normalization is not None:
            x = self.normalization(x, y)
        return self.activation(x)


class DownBlock(nn.Module):
    """Convolution, normalization where there is one, activation."""

    def __init__(
        self, convolution: nn.Module, normalization: nn.Module | None, activation: nn.Module
    ) -> None:
        super().__init__()
        self.convolution = convolution
        self.normalization = normalization
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        x = self.convolution(x)
        if self.normalization is not None:
            x = self.normalization(x)
        return self.activation(x)


def down_blocks(settings: DiscriminatorSettings, plan: list[tuple[int, int]]) -> list[nn.Module]:
    """One block per (output channels, stride) of the plan, from the sample's channels on."""
    layers: list[nn.Module] = []
    maps = []
    inputs, height, width = settings.shape
    for i, (outputs, stride) in enumerate(plan):
        convolution = Conv2d(
            inputs, outputs, settings.kernel, stride=stride, padding=settings.kernel // 2
        )
        normalized = settings.normalization != "none" and (i > 0 or settings.normalize_first_layer)
        layers.append(
            DownBlock(
                settings.bound(convolution),
                settings.normalize(outputs) if normalized else None,
                settings.activate(),
            )
        )
        height, width = -(-height // stride), -(-width // stride)
        maps.append((outputs, height, width))
        inputs = outputs
    return attend(layers, maps, settings.attention, settings.bound)


def up_layers(
    settings: GeneratorSettings, sizes: list[tuple[int, int]], counts: list[int]
) -> list[nn.Module]:
    """A stem and one up-block per step from sizes[i] to sizes[i + 1], which takes in counts[i]
    channels; the last gives the sample's channels through tanh."""
    upsample = UPSAMPLINGS[settings.upsampling or "transposed"]
    per_feature = settings.stem_normalization == "per-feature"
    normalized = counts[0] * (sizes[0][0] * sizes[0][1] if per_feature else 1)
    norm = settings.normalize(normalized)
    layers: list[nn.Module] = [
        Stem(settings.inputs, counts[0], sizes[0], norm, nn.ReLU(), per_feature)
    ]
    for i, (small, large) in enumerate(pairwise(sizes)):
        last = i == len(counts) - 1
        outputs = settings.shape[0] if last else counts[i + 1]
        layers.append(
            UpBlock(
                upsample(counts[i], outputs, settings.kernel, small, large),
                None if last else settings.normalize(outputs),
                nn.Tanh() if last else nn.ReLU(),
            )
        )
    maps = [(count, *size) for count, size in zip(counts, sizes, strict=False)]
    return [*attend(layers[:-1], maps, settings.attention), layers[-1]]


@BACKBONES.register("conv")
class Conv:
    """Strided convolutions, one per halving of the resolution."""

    attention = True
    odd_kernels = True
    stem_normalization = True
    upsamplings = ("transposed", "nearest", "sub-pixel")

    def check_shape(self, shape: Shape) -> None:
        check_sides("conv", shape)

    def generator_layers(self, settings: GeneratorSettings) -> list[nn.Module]:
        sizes = pyramid(*settings.shape[1:])[::-1]
        counts = channel_counts(settings.width, len(sizes) - 1)[::-1]
        return up_layers(settings, sizes, counts)

    def discriminator_layers(self, settings: DiscriminatorSettings) -> list[nn.Module]:
        return down_blocks(settings, [(width, 2) for width in self._counts(settings)])

    def feature_count(self, settings: DiscriminatorSettings) -> int:
        height, width = pyramid(*settings.shape[1:])[-1]
        return self._counts(settings)[-1] * height * width

    def _counts(self, settings: DiscriminatorSettings) -> list[int]:
        return channel_counts(settings.width, len(pyramid(*settings.shape[1:])) - 1)
