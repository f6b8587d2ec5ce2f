"""The three forms of the multi-domain source (Gananath's Multi_Task, 2018): one pair of small
networks for pictures and strings on a shared canvas.

`multidomain-conv1d`: dense layer, two upsamplings with convolutions along the length, and the
shared output layer; the discriminator has two convolutions along the length, max pooling and a
dense layer of 64. `multidomain-conv2d`: the canvas as a one-channel picture, convolved in both
directions. `multidomain-hybrid`: a picture of 28 x 28 made in two dimensions, a dense layer to the
length, and an output layer of kernel 1 along it.

Dropout in the generators is the source's own; that of the discriminators is the recipe's. Sizes
that do not divide by four are rounded up and cut; the source's sizes do divide. Its 2-D critic
normalizes by batch, and that is the recipe's to say.

N: batch; L, V: length and channels of the canvas; C: channels inside.
"""

import torch
from torch import Tensor, nn

from mtgan.errors import UserError
from mtgan.nets.backbone import DiscriminatorSettings, GeneratorSettings, Shape
from mtgan.parts import BACKBONES, OUTPUTS

_DROPOUT_1D, _DROPOUT_2D = 0.4, 0.5
_KERAS_SLOPE = 0.3  # LeakyReLU's default there
_HYBRID_SIDE = 28


class Layer(nn.Sequential):
    """Layers in a row under the generator's signature, forward(x, y)."""

    def forward(self, input: Tensor, y: Tensor | None = None) -> Tensor:
        return super().forward(input)


class Last(nn.Module):
    """Layers, a cut to [N, 1, L, V], and the output activation."""

    def __init__(self, layers: nn.Sequential, settings: GeneratorSettings) -> None:
        super().__init__()
        self.layers = layers
        self.size = settings.shape[1:]
        self.output = OUTPUTS.get(settings.output)(settings.vocabularies, self.size[1])

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        x = self.layers(x)[:, :, : self.size[0], : self.size[1]]
        return self.output(x, y)


class ToRows(nn.Module):
    """[N, C, L, 1] -> [N, 1, L, C], and back: rows of the canvas are positions along the length."""

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 3)


class Along(nn.Conv2d):
    """A convolution along the length, [N, A, L, 1] -> [N, B, L, 1]; of an even kernel's padding the
    larger half is at the end, as in Keras."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__(inputs, outputs, (kernel, 1))

    def forward(self, input: Tensor) -> Tensor:
        kernel = self.kernel_size[0]
        return super().forward(nn.functional.pad(input, (0, 0, (kernel - 1) // 2, kernel // 2)))


def plane(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """A convolution in both directions."""
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2)


def upsample(length: int = 2, width: int = 1) -> nn.Module:
    return nn.Upsample(scale_factor=(length, width), mode="nearest")


def quarter(side: int) -> int:
    return -(-side // 4)


def check_canvas(backbone: str, shape: Shape) -> None:
    """UserError unless samples are canvases: one channel, sides of at least 8."""
    channels, length, width = shape
    if channels != 1 or min(length, width) < 8:
        remedy = "name the data as domains, as in --data image=cifar-10"
        if channels == 1:
            remedy = "take larger samples, of strings longer ones or more tokens"
        raise UserError(
            f"The backbone {backbone} makes canvases of one channel with sides of at least 8, and "
            f"these samples are {channels} x {length} x {width}; {remedy}."
        )


class OnCanvas:
    """What the three forms have in common."""

    name: str
    outputs: tuple[str, ...] | None

    def check_shape(self, shape: Shape) -> None:
        check_canvas(self.name, shape)

    def generator_layers(self, settings: GeneratorSettings) -> list[nn.Module]:
        raise AssertionError("each form has its own")

    def discriminator_layers(self, settings: DiscriminatorSettings) -> list[nn.Module]:
        raise AssertionError("each form has its own")

    def feature_count(self, settings: DiscriminatorSettings) -> int:
        """Counted on an empty canvas."""
        x = torch.zeros(2, *settings.shape)
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            for layer in self.discriminator_layers(settings):
                x = layer.eval()(x)
        return x.flatten(1).shape[1]


@BACKBONES.register("multidomain-conv1d")
class Conv1d(OnCanvas):
    """width: of the generator's dense map (7: a quarter of the source's 28 channels; then 4/3 and
    2 times that); of the discriminator's first convolution (25; then 2/5 of it)."""

    name = "multidomain-conv1d"
    outputs = None

    def generator_layers(self, settings: GeneratorSettings) -> list[nn.Module]:
        length, channels = quarter(settings.shape[1]), settings.shape[2]
        first, second, third = settings.width, settings.width * 4 // 3, settings.width * 2
        return [
            Layer(
                nn.Linear(settings.inputs, length * first),
                nn.ReLU(),
                nn.Unflatten(1, (first, length, 1)),
                nn.Dropout(_DROPOUT_1D),
            ),
            Layer(upsample(), Along(first, second, 2), nn.ReLU(), nn.Dropout(_DROPOUT_1D)),
            Layer(upsample(), Along(second, third, 2), nn.ReLU(), nn.Dropout(_DROPOUT_1D)),
            Last(nn.Sequential(Along(third, channels, settings.kernel), ToRows()), settings),
        ]

    def discriminator_layers(self, settings: DiscriminatorSettings) -> list[nn.Module]:
        first, second = settings.width, max(1, settings.width * 2 // 5)
        kernel, act = settings.kernel, settings.activate
        length = settings.shape[1] // 2 // 2
        return [
            nn.Sequential(
                ToRows(),
                settings.bound(Along(settings.shape[2], first, kernel)),
                act(_KERAS_SLOPE),
                nn.MaxPool2d((2, 1)),
            ),
            nn.Sequential(
                settings.bound(Along(first, second, kernel)),
                act(_KERAS_SLOPE),
                nn.MaxPool2d((2, 1)),
            ),
            nn.Sequential(
                nn.Flatten(), settings.bound(nn.Linear(second * length, 64)), act(_KERAS_SLOPE)
            ),
        ]


@BACKBONES.register("multidomain-conv2d")
class Conv2d(OnCanvas):
    """width: channels inside the generator (1 in the source), and of the discriminator (50)."""

    name = "multidomain-conv2d"
    outputs = None

    def generator_layers(self, settings: GeneratorSettings) -> list[nn.Module]:
        size = quarter(settings.shape[1]), quarter(settings.shape[2])
        width, kernel = settings.width, settings.kernel
        normalize = settings.normalize
        return [
            Layer(
                nn.Linear(settings.inputs, size[0] * size[1] * width),
                nn.ReLU(),
                normalize(size[0] * size[1] * width),
                nn.Unflatten(1, (width, *size)),
                nn.Dropout(_DROPOUT_2D),
            ),
            Layer(
                upsample(2, 2),
                plane(width, width, kernel),
                nn.ReLU(),
                normalize(width),
                nn.Dropout(_DROPOUT_2D),
            ),
            Last(nn.Sequential(upsample(2, 2), plane(width, 1, kernel)), settings),
        ]

    def discriminator_layers(self, settings: DiscriminatorSettings) -> list[nn.Module]:
        width, act = settings.width, settings.activate
        positions = -(-settings.shape[1] // 2) * -(-settings.shape[2] // 2)
        normalized = settings.normalization != "none"
        normal = (lambda: settings.normalize(width)) if normalized else nn.Identity
        return [
            nn.Sequential(settings.bound(plane(1, width, 3)), nn.ReLU(), normal()),
            nn.Sequential(
                settings.bound(plane(width, width, settings.kernel, 2)), act(0.0), normal()
            ),
            nn.Sequential(
                nn.Flatten(), settings.bound(nn.Linear(width * positions, 128)), act(0.0)
            ),
            settings.bound(nn.Linear(128, 10)),
        ]


@BACKBONES.register("multidomain-hybrid")
class Hybrid(OnCanvas):
    """width: of the generator's middle map (64; twice that in its first), and of the
    discriminator's convolution in two dimensions (50)."""

    name = "multidomain-hybrid"
    outputs = None

    def generator_layers(self, settings: GeneratorSettings) -> list[nn.Module]:
        width, kernel, (_, length, channels) = settings.width, settings.kernel, settings.shape
        base = _HYBRID_SIDE // 4
        return [
            Layer(
                nn.Linear(settings.inputs, 2 * width * base * base),
                nn.ReLU(),
                nn.Unflatten(1, (2 * width, base, base)),
                nn.Dropout(_DROPOUT_2D),
            ),
            Layer(
                upsample(2, 2),
                plane(2 * width, width, kernel),
                nn.LeakyReLU(0.2),
                upsample(2, 2),
                nn.Dropout(_DROPOUT_2D),
            ),
            Layer(
                plane(width, 1, kernel),
                nn.Flatten(),
                nn.Linear(_HYBRID_SIDE**2, 3 * length),
                nn.Dropout(_DROPOUT_2D),
                nn.Unflatten(1, (3, length, 1)),
            ),
            Last(nn.Sequential(Along(3, channels, 1), ToRows()), settings),
        ]

    def discriminator_layers(self, settings: DiscriminatorSettings) -> list[nn.Module]:
        width, act, (_, length, channels) = settings.width, settings.activate, settings.shape
        inner = max(1, channels - 3)  # 25 of 28
        positions = -(-length // 2) * -(-inner // 2)
        return [
            nn.Sequential(ToRows(), settings.bound(Along(channels, inner, 4)), ToRows(), act()),
            nn.Sequential(settings.bound(plane(1, width, settings.kernel, 2)), act()),
            nn.Sequential(
                nn.Flatten(), settings.bound(nn.Linear(width * positions, 512)), nn.Dropout(0.5)
            ),
        ]
