"""How a phase's loss terms become one loss."""

from collections.abc import Mapping

import torch
from torch import Tensor

from mtgan.training.steps import LossTerm


def weighted_sum(terms: Mapping[str, LossTerm]) -> Tensor:
    """Sum of weight times value; terms of weight 0 are left out (0 * inf would be nan)."""
    return torch.stack([t.weight * t.value for t in terms.values() if t.weight != 0]).sum()
