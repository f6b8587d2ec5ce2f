"""Differentiable augmentation, one file for each kind (Zhao et al. 2020, arXiv 2006.10738).

What the discriminator sees, real and generated alike, is changed at random and differentiably, so
that it cannot learn few images by heart and the generator still gets its gradient (section 3 and
appendix). Each function maps samples [N, C, H, W] in [-1, 1] to the same shape, one draw per sample
from torch's global generator, and is registered under the name that recipes use.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mtgan.parts import AUGMENTATIONS

Augmentation = Callable[[Tensor], Tensor]


def augment(samples: Tensor, names: Sequence[str], probability: Tensor | None = None) -> Tensor:
    """The named augmentations, one after another; UserError for an unknown one.

    probability: a scalar in [0, 1], by which each of them is done to each sample, independently
    (Karras et al. 2020, section 2.2); None: all are done to all.
    """
    for name in names:
        augmented = AUGMENTATIONS.get(name)(samples)
        if probability is not None:
            shape = (len(samples), *[1] * (samples.dim() - 1))
            done = torch.rand(shape, device=samples.device) < probability
            augmented = torch.where(done, augmented, samples)
        samples = augmented
    return samples
