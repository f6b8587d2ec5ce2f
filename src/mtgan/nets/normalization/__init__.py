"""Normalization layers, one file each, found by their presence here.

Under one signature, forward(x, y): x [N, C, H, W] or [N, C], y [N] or None. y holds class indices
and is read by the conditional kinds alone. What is registered takes (channels, classes) to such a
layer; classes is 0 where nothing is conditioned. It says of itself

- `mixes_samples`: one sample's output depends on the others of its batch,
- `conditional`: it takes classes,
- `embedded`: it takes an embedding of all labels in their place: y [N, E], and E for classes.
"""

from collections.abc import Callable

from torch import nn

NormalizationFactory = Callable[[int, int], nn.Module]
