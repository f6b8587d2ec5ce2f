"""Classes, or clusters where there are none, that are missing from real data."""

import numpy as np

from mtgan.evaluation.calibration.corruptions.base import CORRUPTIONS, Corruption
from mtgan.evaluation.calibration.real_data import RealData
from mtgan.evaluation.comparison import SampleSet


def rows_of_classes(
    classes: np.ndarray, kept: np.ndarray, count: int, random: np.random.Generator
) -> np.ndarray:
    """`count` rows whose class is among `kept`, in the first rows' favor; repeats if need be.

    Args:
        classes: int64 [N], the class of each row.
        kept: Classes that remain.
        count: Rows wanted. Every allowed row is used before any comes twice.
        random: Chooses the repeats.

    Returns:
        int64 [count].
    """
    allowed = np.flatnonzero(np.isin(classes, kept))
    if len(allowed) >= count:
        return allowed[:count]
    repeats = random.choice(allowed, count - len(allowed), replace=True)
    return np.concatenate([allowed, repeats])


def with_modes(real: RealData, kept: int) -> SampleSet:
    """N real samples of the first modes only; repeats where the data run out."""
    random = real.random(2, kept)
    rows = rows_of_classes(real.pool_modes, real.modes[:kept], len(real.held_out), random)
    return real.pool.take(rows)


def kept_modes(real: RealData, missing_share: float) -> int:
    """How many modes remain when about that share of them goes missing."""
    gone = max(1, round(missing_share * len(real.modes)))
    return max(1, len(real.modes) - gone)


def _words(real: RealData, share: float) -> str:
    gone = len(real.modes) - kept_modes(real, share)
    return f"{gone} of {len(real.modes)} {real.context.mode_noun} missing"


CORRUPTIONS.register("missing modes")(
    Corruption(
        "missing modes",
        lambda real, share: with_modes(real, kept_modes(real, share)),
        _words,
        levels=(0.1, 0.2, 0.3, 0.5, 0.7, 0.9),
        reads=("distribution", "modes"),
        fills_up=True,
    )
)
