"""The multi-class hinge loss of Crammer & Singer (Kavalerov et al. 2021, MHGAN)."""

import torch
from torch import Tensor

from mtgan.nets import HeadOutput
from mtgan.objectives.heads.base import OneOfMany
from mtgan.parts import HEAD_LOSSES


@HEAD_LOSSES.register("multi-hinge")
class MultiHinge(OneOfMany):
    """max(0, 1 - the right class's logit + the largest other logit) (Kavalerov et al. 2021, eq. 8
    and 9)."""

    def per_sample(self, output: HeadOutput, target: Tensor) -> Tensor:
        logits = output.logits
        index = target.clamp_min(0)[..., None]
        right = logits.gather(-1, index)
        others = logits.scatter(-1, index, -torch.inf).amax(-1)
        return (1 - right.squeeze(-1) + others).clamp_min(0) * (target >= 0)
