"""Losses of the classification tasks beside the adversarial one."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy as _cross_entropy

from mtgan import processes


def _labeled(labels: Tensor) -> Tensor:
    """Number of labeled samples of each batch [...], at least 1; of several processes the mean,
    so that the mean of their losses is the joint batch's."""
    labeled = (labels >= 0).sum(-1, dtype=torch.float32)
    return processes.average(labeled).clamp_min(1 / processes.count())


def at_least_float32(x: Tensor) -> Tensor:
    """x, in float32 where it has fewer bits: sums of exponentials overflow or drown in these."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def mean_over_labeled(losses: Tensor, labels: Tensor) -> Tensor:
    """Mean for each batch [...] of losses [..., N] over the labeled samples; 0 where none is.

    labels: int64 [..., N], -1 where missing; the losses are 0 there. The plain mean of PyTorch is
    0/0 on a batch without any label; this one is not, and has no branch on the data.
    """
    return losses.sum(-1) / _labeled(labels)


def cross_entropies(logits: Tensor, labels: Tensor) -> Tensor:
    """Softmax cross-entropy in nats of each sample, [..., N]; 0 where it has no label.

    logits [..., N, K]; labels int64 [..., N], -1 where missing.
    """
    losses = _cross_entropy(
        logits.flatten(0, -2), labels.flatten(), ignore_index=-1, reduction="none"
    )
    return losses.view(labels.shape)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean softmax cross-entropy in nats over the labeled samples; 0 where none is labeled.

    logits [..., N, K]; labels int64 [..., N], -1 where missing (those count for nothing); a mean
    for each batch [...].
    """
    return mean_over_labeled(cross_entropies(logits, labels), labels)


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Share of the labeled samples whose largest logit is their label, in [0, 1].

    logits [..., N, K]; labels int64 [..., N], -1 where missing; a share for each batch [...].
    """
    return (logits.argmax(-1) == labels).sum(-1) / _labeled(labels)
