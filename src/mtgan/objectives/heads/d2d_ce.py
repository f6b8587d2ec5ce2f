"""Data-to-data cross-entropy (Kang et al. 2021, ReACGAN)."""

import torch
from torch import Tensor

from mtgan.nets import HeadOutput
from mtgan.objectives.heads.base import OneOfMany
from mtgan.objectives.tasks import at_least_float32
from mtgan.parts import HEAD_LOSSES

MARGIN = 0.98
TEMPERATURE = 0.5


@HEAD_LOSSES.register("d2d-ce")
class DataToData(OneOfMany):
    """A sample is compared with its class's proxy, and with the batch's samples of other classes
    (Kang et al. 2021, eq. 8).

    With unit embeddings f and proxies v, s(x) = exp(min(f.v - m, 0) / t) and, over the samples j
    of another class, d = exp(max(f.f_j - m, 0) / t): -log s / (s + sum of d). A sample that is
    near enough to its proxy, or far enough from another, is left alone. m = 0.98, t = 0.5 (their
    appendix). Samples without a label are compared with none.
    """

    compares_samples = True

    def per_sample(self, output: HeadOutput, target: Tensor) -> Tensor:
        assert output.embedding is not None, "this loss needs a head that gives embeddings"
        cosines, f = map(at_least_float32, (output.logits, output.embedding))
        known = target >= 0
        near = cosines.gather(-1, target.clamp_min(0)[..., None]).squeeze(-1)
        near = (near - MARGIN).clamp_max(0) / TEMPERATURE
        apart = (f @ f.mT - MARGIN).clamp_min(0) / TEMPERATURE
        other = (target[..., None] != target[..., None, :]) & known[..., None] & known[..., None, :]
        apart = apart.masked_fill(~other, -torch.inf)
        total = torch.cat([near[..., None], apart], dim=-1).logsumexp(-1)
        return (total - near) * known
