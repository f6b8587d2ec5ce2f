"""Small normal weights (Radford et al. 2016)."""

import torch
from torch import nn

from mtgan.parts import INITIALIZATIONS


@INITIALIZATIONS.register("normal-0.02")
def normal_002(weight: torch.Tensor, generator: torch.Generator) -> None:
    """N(0, 0.02^2) (Radford et al. 2016, section 4)."""
    nn.init.normal_(weight, 0.0, 0.02, generator=generator)
