"""Few images, again and again."""

import numpy as np

from mtgan.evaluation.calibration.corruptions.base import CORRUPTIONS, Corruption
from mtgan.evaluation.calibration.real_data import RealData
from mtgan.evaluation.comparison import SampleSet


def repeated(real: RealData, distinct: int) -> SampleSet:
    """So many held-out images again and again, up to two grey levels off."""
    return real.jittered(real.held_out, np.arange(len(real.held_out)) % distinct, 2)


CORRUPTIONS.register("repeats")(
    Corruption(
        "repeats",
        lambda real, share: repeated(real, max(1, round((1 - share) * len(real.held_out)))),
        lambda real, share: f"every image {1 / (1 - share):.0f} times",
        levels=(0.5, 0.75, 0.9, 0.975),
        reads=("diversity",),
    )
)
