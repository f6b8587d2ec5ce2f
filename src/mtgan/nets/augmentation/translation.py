"""Random shifts."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from mtgan.parts import AUGMENTATIONS

_SHIFT = 1 / 8  # share of the side, at most


def random_integers(x: Tensor, low: int, high: int) -> Tensor:
    """One integer per sample, [N, 1], from low to high inclusive."""
    return torch.randint(low, high + 1, (len(x), 1), device=x.device)


@AUGMENTATIONS.register("translation")
def translation(x: Tensor) -> Tensor:
    """Shifts by up to an eighth of each side; what comes in is 0, the middle of the range."""
    n, _, height, width = x.shape
    far = [round(side * _SHIFT) for side in (height, width)]
    padded = pad(x, (far[1], far[1], far[0], far[0]))
    rows = torch.arange(height, device=x.device) + random_integers(x, 0, 2 * far[0])  # [N, H]
    columns = torch.arange(width, device=x.device) + random_integers(x, 0, 2 * far[1])  # [N, W]
    index = torch.arange(n, device=x.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[index, rows[:, :, None], columns[:, None, :]].permute(
        0, 3, 1, 2
    )
