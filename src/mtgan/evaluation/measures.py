"""Old names of what is in `mtgan.evaluation.metrics`, for one release."""

import warnings
from collections.abc import Callable, Sequence

from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics import FEATURES, PIXELS, Outcome, Output, register_metric

__all__ = ["FEATURES", "PIXELS", "Outcome", "Output", "measure"]

Compute = Callable[[Comparison], Outcome]


def measure(
    *outputs: Output,
    slow: bool = False,
    resampled: bool = True,
    needs: Sequence[Callable[[Comparison], str]] = (),
    space: str = FEATURES,
) -> Callable[[Compute], Compute]:
    """`register_metric` under the function's name."""
    warnings.warn(
        "mtgan.evaluation.measures.measure is now mtgan.evaluation.register_metric(name, ...); "
        "Output and Outcome are in mtgan.evaluation.metrics.",
        DeprecationWarning,
        stacklevel=2,
    )
    named = {need.__name__: need for need in needs}

    def register(compute: Compute) -> Compute:
        name = compute.__name__
        decorate = register_metric(
            name, *outputs, slow=slow, resampled=resampled, needs=named, space=space
        )
        return decorate(compute)

    return register
