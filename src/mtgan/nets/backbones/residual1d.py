"""Residual networks for canvases [length, channels], ours.

`multidomain-residual`: residual blocks of one dimension, after the language model of Gulrajani et
al. 2017 (section 5.5: branches weighted 0.3, no resampling). Unlike there, four rows of the canvas
make one position, and each block also mixes positions by a dense layer, so that the bracket that
closes can see the one that opens: a branch costs a quarter and sees the whole string.
`multidomain-dense`: the same with all rows as one position, where no convolution is left.

N: batch; L, V: length and channels of the canvas; P: positions; C: width.
"""

import torch
from torch import Tensor, nn

from mtgan.nets.backbone import DiscriminatorSettings, GeneratorSettings, Shape
from mtgan.nets.backbones.multidomain import check_canvas
from mtgan.nets.fast import LeakyReLU
from mtgan.parts import BACKBONES, OUTPUTS

_ROWS = 4  # of the canvas in one position
_BRANCH = 0.3  # weight of a residual branch (released code of Gulrajani et al. 2017)
BLOCKS = 3


class Fold(nn.Module):
    """[N, 1, L, V] -> [N, P, rows * V]: so many rows per position, the last filled up by -1."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.rows = rows

    def forward(self, x: Tensor) -> Tensor:
        count, _, length, channels = x.shape
        x = nn.functional.pad(x, (0, 0, 0, -length % self.rows), value=-1.0)
        return x.reshape(count, -1, self.rows * channels)


class Along(nn.Linear):
    """A convolution along the positions, [N, P, A] -> [N, P, B], as one matrix product: several
    times as fast as PyTorch's with so few positions, a gradient penalty's derivatives above all."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__(kernel * inputs, outputs)
        self.kernel = kernel

    def forward(self, input: Tensor) -> Tensor:
        half, positions = self.kernel // 2, input.shape[1]
        padded = nn.functional.pad(input, (0, 0, half, self.kernel - 1 - half))
        shifted = [padded[:, i : i + positions] for i in range(self.kernel)]
        return super().forward(torch.cat(shifted, dim=2))


class Mix(nn.Module):
    """Adds a dense map of the positions, the same for every channel: [N, P, C] to itself."""

    def __init__(self, positions: int) -> None:
        super().__init__()
        self.linear = nn.Linear(positions, positions)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.linear(x.transpose(1, 2)).transpose(1, 2)


def normalized(norm: nn.Module, x: Tensor, y: Tensor | None) -> Tensor:
    """A normalization of [N, C, P, 1], applied to [N, P, C]."""
    return norm(x.transpose(1, 2).unsqueeze(3), y).squeeze(3).transpose(1, 2)


class Branch(nn.Module):
    """x + 0.3 f(x), f being norm, LeakyReLU, convolution, norm, LeakyReLU, mix, dense layer of the
    channels; x [N, P, C]. With one position the convolution is dense and the mix is left out.
    """

    def __init__(self, settings: GeneratorSettings | DiscriminatorSettings, positions: int) -> None:
        super().__init__()
        width, kernel = settings.width, settings.kernel if positions > 1 else 1
        bound = settings.bound if isinstance(settings, DiscriminatorSettings) else lambda x: x
        self.first_norm, self.second_norm = settings.normalize(width), settings.normalize(width)
        self.first = bound(Along(width, width, kernel))
        self.mix = Mix(positions) if positions > 1 else nn.Identity()
        self.second = bound(nn.Linear(width, width))
        self.activations = nn.ModuleList(
            settings.activate() if isinstance(settings, DiscriminatorSettings) else LeakyReLU()
            for _ in range(2)
        )

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        h = self.first(self.activations[0](normalized(self.first_norm, x, y)))
        h = self.mix(self.activations[1](normalized(self.second_norm, h, y)))
        return x + _BRANCH * self.second(h)


class Start(nn.Module):
    """[N, inputs] -> [N, P, C]."""

    def __init__(self, settings: GeneratorSettings, positions: int) -> None:
        super().__init__()
        self.positions = positions
        self.linear = nn.Linear(settings.inputs, positions * settings.width)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.linear(x).view(x.shape[0], self.positions, -1)


class ToCanvas(nn.Module):
    """norm, ReLU, dense layer to rows of the canvas [N, 1, L, V], output activation."""

    def __init__(self, settings: GeneratorSettings, rows: int) -> None:
        super().__init__()
        _, self.length, self.channels = settings.shape
        self.norm = settings.normalize(settings.width)
        self.linear = nn.Linear(settings.width, rows * self.channels)
        self.output = OUTPUTS.get(settings.output)(settings.vocabularies, self.channels)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        rows = self.linear(normalized(self.norm, x, y).relu())
        return self.output(rows.view(x.shape[0], 1, -1, self.channels)[:, :, : self.length], y)


@BACKBONES.register("multidomain-residual")
class Residual:
    """width: channels of every layer; kernel: of the convolutions along the positions."""

    name = "multidomain-residual"
    outputs: tuple[str, ...] | None = None

    def rows(self, length: int) -> int:
        return _ROWS

    def positions(self, shape: Shape) -> int:
        return -(-shape[1] // self.rows(shape[1]))

    def check_shape(self, shape: Shape) -> None:
        check_canvas(self.name, shape)

    def generator_layers(self, settings: GeneratorSettings) -> list[nn.Module]:
        positions = self.positions(settings.shape)
        blocks = (Branch(settings, positions) for _ in range(BLOCKS))
        last = ToCanvas(settings, self.rows(settings.shape[1]))
        return [Start(settings, positions), *blocks, last]

    def discriminator_layers(self, settings: DiscriminatorSettings) -> list[nn.Module]:
        rows = self.rows(settings.shape[1])
        first = settings.bound(nn.Linear(rows * settings.shape[2], settings.width))
        blocks = [Branch(settings, self.positions(settings.shape)) for _ in range(BLOCKS)]
        last = nn.Sequential(blocks[-1], settings.activate())
        return [nn.Sequential(Fold(rows), first), *blocks[:-1], last]

    def feature_count(self, settings: DiscriminatorSettings) -> int:
        return settings.width * self.positions(settings.shape)


@BACKBONES.register("multidomain-dense")
class Dense(Residual):
    """width: units of every layer; there is no kernel."""

    name = "multidomain-dense"
    outputs: tuple[str, ...] | None = None

    def rows(self, length: int) -> int:
        return length
