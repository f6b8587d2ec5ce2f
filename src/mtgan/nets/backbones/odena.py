"""The CIFAR-10 networks of AC-GAN (Odena et al. 2017, appendix A; thesis 4.0.5, AC-GAN.b).

Against the thesis's own networks: a thinner generator, whose fully connected layer has 384 units
(4 x 4 x 24) at width 192; a discriminator of twice as many convolutions, every second one of
stride 1, all 3 x 3; and no dense layer over positions, the heads read the mean over positions.
Dropout and activation noise are the recipe's.
"""

from torch import Tensor, nn

from mtgan.nets.backbone import DiscriminatorSettings, GeneratorSettings, Shape
from mtgan.nets.backbones.conv import check_sides, down_blocks, pyramid, up_layers
from mtgan.parts import BACKBONES


class MeanOverPositions(nn.Module):
    """A block followed by the mean over positions: [N, C, H, W] -> [N, C]."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x).mean((2, 3))


@BACKBONES.register("odena")
class Odena:
    """width: of the generator's widest layer (192), of the discriminator's first one (16)."""

    attention = True
    odd_kernels = True
    stem_normalization = True
    upsamplings = ("transposed", "nearest", "sub-pixel")

    def check_shape(self, shape: Shape) -> None:
        check_sides("odena", shape)

    def generator_layers(self, settings: GeneratorSettings) -> list[nn.Module]:
        sizes = pyramid(*settings.shape[1:])[::-1]
        stem = max(1, settings.width // 8)
        counts = [stem, *(max(1, settings.width >> i) for i in range(len(sizes) - 2))]
        return up_layers(settings, sizes, counts)

    def discriminator_layers(self, settings: DiscriminatorSettings) -> list[nn.Module]:
        plan = [(count, 1 if i % 2 else 2) for i, count in enumerate(self._counts(settings))]
        *blocks, last = down_blocks(settings, plan)
        return [*blocks, MeanOverPositions(last)]

    def feature_count(self, settings: DiscriminatorSettings) -> int:
        return self._counts(settings)[-1]

    def _counts(self, settings: DiscriminatorSettings) -> list[int]:
        """Two convolutions per halving, each twice as wide as the one before, 32-fold at most."""
        convolutions = 2 * (len(pyramid(*settings.shape[1:])) - 1)
        return [settings.width * min(2**i, 32) for i in range(convolutions)]
