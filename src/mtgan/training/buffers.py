"""Measuring by networks without leaving a trace in them."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def keeping_buffers(*networks: nn.Module) -> Iterator[None]:
    """Networks whose buffers (statistics of normalization, vectors of spectral norms) have the same
    values afterwards."""
    buffers = [buffer for network in networks for buffer in network.buffers()]
    before = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in zip(buffers, before, strict=True):
                buffer.copy_(value)
