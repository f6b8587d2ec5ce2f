"""Where data sets come from: one file for each source or format."""

import warnings
from typing import Any


def __getattr__(name: str) -> Any:
    if name != "hold_out":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mtgan.data.held_out import hold_out

    warnings.warn(
        "mtgan.data.sources.hold_out is called mtgan.data.hold_out now.",
        DeprecationWarning,
        stacklevel=2,
    )
    return hold_out
