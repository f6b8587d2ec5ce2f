"""The one switch between the layers of this package and PyTorch's own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

VARIABLE = "MTGAN_PLAIN_LAYERS"

_plain = os.environ.get(VARIABLE, "") not in {"", "0"}


@contextmanager
def plain_layers() -> Iterator[None]:
    """Compute with PyTorch's own layers inside, as MTGAN_PLAIN_LAYERS=1 does for a whole process.

    It counts where a layer is called: what is called inside is differentiated by PyTorch's own
    formulas, also later.
    """
    global _plain
    before, _plain = _plain, True
    try:
        yield
    finally:
        _plain = before


def is_fast() -> bool:
    """Whether layers are computed in our way. A graph that is traced, by torch.jit.trace or the
    older ONNX exporter, holds PyTorch's own operators: others it could neither keep nor read."""
    return not _plain and not torch.jit.is_tracing()
