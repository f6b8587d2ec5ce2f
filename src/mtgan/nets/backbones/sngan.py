"""The residual networks of SN-GAN (Miyato et al. 2018, appendix B.4, tables 4 to 6).

Blocks are those of `resnet`; the discriminator *sums* over positions, where that one takes the
mean. Up to 32 pixels all layers are equally wide (table 4: width 256 of the generator, 128 of the
discriminator). Above, channels double with each halving of the resolution, up to 16-fold, and the
discriminator halves it to at most 4 pixels (tables 5 and 6, 48 and 128 pixels: width 64 of both).
Spectral normalization is the recipe's (`discriminator.spectral_norm`).
"""

from torch import nn

from mtgan.nets.backbone import DiscriminatorSettings, GeneratorSettings, Shape
from mtgan.nets.backbones import resnet
from mtgan.nets.backbones.conv import check_sides, pyramid
from mtgan.parts import BACKBONES

_EQUALLY_WIDE = 32  # pixels on the shorter side, at most
_MOST = 16  # times the width


def _grown(width: int, count: int) -> list[int]:
    """Channels near the image first: width, doubled each time."""
    return [width * min(2**i, _MOST) for i in range(count)]


def _is_small(shape: Shape) -> bool:
    return min(shape[1:]) <= _EQUALLY_WIDE


def _halvings(shape: Shape) -> int:
    """How often the shorter side is halved, rounding up, until it is at most 4."""
    side, count = min(shape[1:]), 0
    while side > 4:
        side, count = -(-side // 2), count + 1
    return count


@BACKBONES.register("sngan")
class SNGAN:
    """width: of every layer up to 32 pixels, above that of the layer nearest the image."""

    attention = True
    odd_kernels = True
    last_normalization = True

    def check_shape(self, shape: Shape) -> None:
        check_sides("sngan", shape)

    def generator_layers(self, settings: GeneratorSettings) -> list[nn.Module]:
        stages = len(pyramid(*settings.shape[1:]))
        if _is_small(settings.shape):
            return resnet.generator_layers(settings, [settings.width] * stages)
        return resnet.generator_layers(settings, _grown(settings.width, stages)[::-1])

    def discriminator_layers(self, settings: DiscriminatorSettings) -> list[nn.Module]:
        counts, downs = self._plan(settings)
        return resnet.discriminator_layers(settings, counts, downs, summed=True)

    def feature_count(self, settings: DiscriminatorSettings) -> int:
        return self._plan(settings)[0][-1]

    def _plan(self, settings: DiscriminatorSettings) -> tuple[list[int], int]:
        """Channels that each block gives, and how many of them halve the resolution."""
        halvings = _halvings(settings.shape)
        if _is_small(settings.shape):
            downs = max(1, halvings - 1)
            return [settings.width] * (downs + 2), downs
        return _grown(settings.width, halvings + 1), halvings
