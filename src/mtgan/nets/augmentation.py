"""Differentiable augmentation (Zhao et al. 2020, arXiv 2006.10738, section 3 and appendix).

What the discriminator sees, real and generated alike, is changed at random and differentiably, so
that it cannot learn few images by heart and the generator still gets its gradient. Each function
maps samples [N, C, H, W] in [-1, 1] to the same shape, one draw per sample from torch's global
generator, and is registered under the name that recipes use.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

from mtgan.parts import AUGMENTATIONS

Augmentation = Callable[[Tensor], Tensor]

# Shares of the side: how far images are shifted, and how large a square is cut out.
_SHIFT, _CUT = 1 / 8, 1 / 2


def augment(samples: Tensor, names: Sequence[str]) -> Tensor:
    """The named augmentations, one after another; UserError for an unknown one."""
    for name in names:
        samples = AUGMENTATIONS.get(name)(samples)
    return samples


def _draw(x: Tensor, low: float, high: float) -> Tensor:
    """One number per sample, [N, 1, 1, 1], uniform on [low, high)."""
    return torch.empty(len(x), 1, 1, 1, dtype=x.dtype, device=x.device).uniform_(low, high)


@AUGMENTATIONS.register("color")
def color(x: Tensor) -> Tensor:
    """Brightness +-0.5, saturation times 0 to 2, contrast times 0.5 to 1.5, in this order."""
    x = x + _draw(x, -0.5, 0.5)
    gray = x.mean(1, keepdim=True)
    x = (x - gray) * _draw(x, 0, 2) + gray
    mean = x.mean((1, 2, 3), keepdim=True)
    return (x - mean) * _draw(x, 0.5, 1.5) + mean


def _whole(x: Tensor, low: int, high: int) -> Tensor:
    """One whole number per sample, [N, 1], from low to high inclusive."""
    return torch.randint(low, high + 1, (len(x), 1), device=x.device)


@AUGMENTATIONS.register("translation")
def translation(x: Tensor) -> Tensor:
    """Shifts by up to an eighth of each side; what comes in is 0, the middle of the range."""
    n, _, height, width = x.shape
    far = [round(side * _SHIFT) for side in (height, width)]
    padded = pad(x, (far[1], far[1], far[0], far[0]))
    rows = torch.arange(height, device=x.device) + _whole(x, 0, 2 * far[0])  # [N, H]
    columns = torch.arange(width, device=x.device) + _whole(x, 0, 2 * far[1])  # [N, W]
    each = torch.arange(n, device=x.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[each, rows[:, :, None], columns[:, None, :]].permute(
        0, 3, 1, 2
    )


@AUGMENTATIONS.register("cutout")
def cutout(x: Tensor) -> Tensor:
    """A rectangle of half the sides, centered anywhere in the image, is set to 0."""
    inside = []
    for side in x.shape[2:]:
        size = round(side * _CUT)
        start = _whole(x, 0, side - 1) - size // 2
        place = torch.arange(side, device=x.device)
        inside.append((place >= start) & (place < start + size))  # [N, side]
    hidden = inside[0][:, None, :, None] & inside[1][:, None, None, :]
    return x.masked_fill(hidden, 0)
