"""The discriminator's last step, one file for each kind, found by their presence here.

A head takes features, and the labels beside them, to a score. It is registered under the name that
`discriminator.conditioning` takes. N: batch; F: features; K: classes of a label level.
"""

from mtgan.nets.heads.base import (
    Bound,
    HeadFactory,
    Labels,
    LabelVector,
    Strengths,
    as_levels,
    block_length,
    scaled,
)

__all__ = [
    "Bound",
    "HeadFactory",
    "LabelVector",
    "Labels",
    "Strengths",
    "as_levels",
    "block_length",
    "scaled",
]
