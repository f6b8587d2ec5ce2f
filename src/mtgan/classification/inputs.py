"""From stored images to what a network sees: scale, crops, mirror images.

N: batch; C, H, W: sample; S: side of the crop.
"""

import numpy as np
import torch
from torch import Tensor

from mtgan.classification.schema import Augmentation
from mtgan.data.pixels import to_floats
from mtgan.errors import UserError


def input_shape(part: Augmentation, shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """(C, H, W) after the crop; UserError where the images are smaller."""
    channels, height, width = shape
    if part.crop is None:
        return shape
    if part.crop > min(height, width):
        raise UserError(
            f"augmentation.crop={part.crop} is larger than the images, which are {height} x "
            f"{width}; take at most {min(height, width)}."
        )
    return channels, part.crop, part.crop


def take(samples: Tensor, rows: np.ndarray) -> Tensor:
    """The samples at these positions, as floats."""
    return to_floats(samples[torch.from_numpy(rows).to(samples.device)])


def crop_center(samples: Tensor, part: Augmentation) -> Tensor:
    """[N, C, H, W] -> [N, C, S, S]: what is evaluated."""
    _, height, width = input_shape(part, (samples.shape[1], samples.shape[2], samples.shape[3]))
    top, left = (samples.shape[2] - height) // 2, (samples.shape[3] - width) // 2
    return samples[:, :, top : top + height, left : left + width]


def augment(samples: Tensor, part: Augmentation, generator: torch.Generator) -> Tensor:
    """[N, C, H, W] -> [N, C, S, S]: on average `share` of the samples are cropped at random and
    mirrored half of the time; the others are cropped in the middle (thesis, 2.0.1). The generator
    is a CPU one."""
    plain = crop_center(samples, part)
    if not part.share or not (part.crop or part.flip):
        return plain
    count, _, height, width = samples.shape
    _, _, side_y, side_x = plain.shape
    chosen, mirrored, down, right = torch.rand(4, count, generator=generator).to(samples.device)
    top, left = (down * (height - side_y + 1)).long(), (right * (width - side_x + 1)).long()
    y = top[:, None] + torch.arange(side_y, device=samples.device)
    x = left[:, None] + torch.arange(side_x, device=samples.device)
    if part.flip:
        x = torch.where((mirrored < 0.5)[:, None], x.flip(1), x)
    index = torch.arange(count, device=samples.device)[:, None, None]
    moved = samples[index, :, y[:, :, None], x[:, None, :]].permute(0, 3, 1, 2)
    return torch.where((chosen < part.share)[:, None, None, None], moved, plain)
