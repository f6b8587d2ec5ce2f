"""Losses of the classification tasks beside the adversarial one."""

from torch import Tensor
from torch.nn.functional import cross_entropy as _cross_entropy


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean softmax cross-entropy in nats over the labeled samples; 0 where none is labeled.

    logits [N, K]; labels int64 [N], -1 where missing (those count for nothing). The plain mean of
    PyTorch is 0/0 on a batch without any label; this one is not, and has no branch on the data.
    """
    total = _cross_entropy(logits, labels, ignore_index=-1, reduction="sum")
    return total / (labels >= 0).sum().clamp_min(1)


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Share of the labeled samples whose largest logit is their label, in [0, 1].

    logits [N, K]; labels int64 [N], -1 where missing.
    """
    labeled = labels >= 0
    return ((logits.argmax(1) == labels) & labeled).sum() / labeled.sum().clamp_min(1)
