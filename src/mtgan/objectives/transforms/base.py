"""What a transform is."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Transform:
    """`apply` takes samples [N, C, H, W] to as many transformed ones, in the same order, and what
    was done to each, int64 [N] from 0 to `classes` - 1; it is differentiable, draws nothing and
    reads nothing on the host. `square`: whether samples have to be as high as wide."""

    apply: Callable[[Tensor], tuple[Tensor, Tensor]]
    classes: int
    square: bool = False
