"""Losses of the discriminator's classification heads, one file for each, found by their presence.

A loss is registered under the name that a task's `head.loss` takes. N: batch; C: classes of the
head; K: classes of a label level; "..." stands for several batches that are computed at once.
"""

from mtgan.objectives.heads.base import HeadLoss, HeadObjective, OneOfMany

__all__ = ["HeadLoss", "HeadObjective", "OneOfMany"]
