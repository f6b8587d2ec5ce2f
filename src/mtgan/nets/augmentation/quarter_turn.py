"""Random rotations by multiples of 90 degrees."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mtgan.parts import AUGMENTATIONS


@dataclass(frozen=True)
class QuarterTurn:
    """0 to 3 quarter turns, equally often (Karras et al. 2020, appendix B); of images that are not
    square, none or two. hides: the transform whose classes nobody can tell after it."""

    hides: str

    def __call__(self, x: Tensor) -> Tensor:
        square = x.shape[2] == x.shape[3]
        turned = torch.stack([x.rot90(k, (2, 3)) for k in (range(4) if square else (0, 2))])
        number = torch.randint(len(turned), (len(x),), device=x.device)
        return turned[number, torch.arange(len(x), device=x.device)]


AUGMENTATIONS.register("quarter-turn")(QuarterTurn(hides="rotation"))
