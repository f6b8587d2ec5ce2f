"""Whether a written file gives what mtgan gives."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from mtgan.errors import UserError
from mtgan.exporting.base import Program

COUNTS = (2, 1, 61)  # of samples at once, all of which a file has to take
FLOATS = 1e-4
"""How far floats may differ, as a share of the largest where that is above 1."""
BYTES = 1e-3
"""The share of pixels that may differ, by 1."""

Call = Callable[[Mapping[str, np.ndarray]], Sequence[np.ndarray]]


def check(program: Program, call: Call, what: str) -> None:
    """UserError about `what` where the outputs of some examples are others than mtgan's."""
    for count in COUNTS:
        inputs = program.example(count)
        named = {name: x.numpy() for name, x in zip(program.inputs, inputs, strict=True)}
        expected, found = program.expected(inputs), call(named)
        for name, right, made in zip(program.outputs, expected, found, strict=True):
            if fault := difference(right, np.asarray(made)):
                raise UserError(
                    f"{what} gives another {name} than mtgan for {count} samples ({fault}), so it "
                    "was not kept; another version of PyTorch may export it right."
                )


def difference(right: np.ndarray, made: np.ndarray) -> str:
    """What is wrong with an output; "" where it is right up to rounding."""
    if right.shape != made.shape or right.dtype != made.dtype:
        return f"{made.dtype} {list(made.shape)} for {right.dtype} {list(right.shape)}"
    apart = np.abs(made.astype(np.float64) - right.astype(np.float64))
    if right.dtype == np.uint8:
        share = float((apart > 0).mean())
        wrong = apart.max() > 1 or share > BYTES
        return f"{share:.2%} of the pixels differ, by up to {apart.max():.0f}" if wrong else ""
    limit = FLOATS * max(1.0, float(np.abs(right).max()))
    return "" if apart.max() <= limit else f"they differ by {apart.max():.2g}"
