"""Weight clipping, which bounds the critic by force (Arjovsky et al. 2017)."""

from collections.abc import Iterable

import torch
from torch import Tensor

from mtgan.objectives.penalties.base import Penalty
from mtgan.parts import PENALTIES


def clip_weights(parameters: Iterable[Tensor], limit: float) -> None:
    """Clamp every weight to [-limit, limit] in place, after the update (Arjovsky et al. 2017)."""
    with torch.no_grad():
        for parameter in parameters:
            parameter.clamp_(-limit, limit)


PENALTIES.register("clip")(Penalty(clips=True))
