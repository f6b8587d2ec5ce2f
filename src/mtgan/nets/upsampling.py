"""How a generator doubles the resolution of its feature maps: `generator.upsampling`.

N: batch; A, B: channels of input and output; h, w -> H, W: sides before and after, where H is 2h
or 2h - 1 (and W alike).
"""

from collections.abc import Callable

from torch import Tensor, nn

from mtgan.nets.fast import Conv2d, ConvTranspose2d, UpsampleConv2d
from mtgan.nets.fast.convolutions import interleaved

Sides = tuple[int, int]


def transposed(inputs: int, outputs: int, kernel: int, small: Sides, large: Sides) -> nn.Module:
    """A transposed convolution of stride 2 (Radford et al. 2016, section 3)."""
    # It gives 2s - 1; the output padding adds the rest.
    extra = (large[0] - (2 * small[0] - 1), large[1] - (2 * small[1] - 1))
    return ConvTranspose2d(
        inputs, outputs, kernel, stride=2, padding=kernel // 2, output_padding=extra
    )


class Nearest(nn.Module):
    """Every pixel repeated 2 x 2, then a convolution: [N, A, h, w] -> [N, B, H, W].

    Kernels of a transposed convolution overlap unevenly where the stride does not divide their
    size, which shows as a checkerboard; here they do not (Odena, Dumoulin & Olah 2016,
    "Deconvolution and Checkerboard Artifacts").
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, small: Sides, large: Sides) -> None:
        super().__init__()
        self.size = large
        self.convolution = UpsampleConv2d(inputs, outputs, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution(x, self.size)[:, :, : self.size[0], : self.size[1]]


class SubPixel(nn.Module):
    """A convolution to four times the channels, which become 2 x 2 pixels of one channel each:
    [N, A, h, w] -> [N, B, H, W] (Shi et al. 2016, arXiv 1609.05158, eq. 4)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, small: Sides, large: Sides) -> None:
        super().__init__()
        self.size = large
        self.convolution = Conv2d(inputs, 4 * outputs, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        return interleaved(self.convolution(x))[:, :, : self.size[0], : self.size[1]]


UPSAMPLINGS: dict[str, Callable[[int, int, int, Sides, Sides], nn.Module]] = {
    "transposed": transposed,
    "nearest": Nearest,
    "sub-pixel": SubPixel,
}
