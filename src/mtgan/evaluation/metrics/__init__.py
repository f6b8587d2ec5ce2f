"""Metrics of generated samples, one file each, found by their presence in this folder.

The function of a metric takes the generated set first and the reference second, as numpy arrays or
torch tensors (features [N, D], images uint8 [N, C, H, W], predictions [N, K], labels [N]), works on
the device of a given tensor, and returns a float or a small frozen dataclass; those with one
headline figure convert by `float()`. Each is `mtgan.evaluation.NAME` as well.

What several metrics need is computed once and handed on: `GaussianStatistics` to
`frechet_distance`, `neighborhood` to `pairwise_pass`, and that to the functions `..._from_pass`.
"""

from mtgan.evaluation.metrics.base import (
    FEATURES,
    HELD_OUT,
    LABELS,
    LOGITS,
    METRICS,
    NUMBERS,
    PIXELS,
    Metric,
    Outcome,
    Output,
    chosen_metrics,
    listed,
    register_metric,
)
from mtgan.evaluation.pairwise.arrays import SmallSampleWarning

__all__ = [
    "FEATURES",
    "HELD_OUT",
    "LABELS",
    "LOGITS",
    "METRICS",
    "NUMBERS",
    "PIXELS",
    "Metric",
    "Outcome",
    "Output",
    "SmallSampleWarning",
    "chosen_metrics",
    "listed",
    "register_metric",
]
