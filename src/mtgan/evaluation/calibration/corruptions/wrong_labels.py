"""Labels that are dealt anew."""

import numpy as np

from mtgan.evaluation.calibration.corruptions.base import CORRUPTIONS, Corruption
from mtgan.evaluation.calibration.real_data import RealData
from mtgan.evaluation.comparison import SampleSet


def wrong_labels(labels: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """Exchange whole rows of labels among a share of the samples: the right classes, wrongly dealt.

    Args:
        labels: int64 [N, L].
        share: Share of the samples in [0, 1].
        random: Chooses which, and the exchange.

    Returns:
        int64 [N, L].
    """
    return labels[dealt_anew(len(labels), share, random)]


def dealt_anew(count: int, share: float, random: np.random.Generator) -> np.ndarray:
    """int64 [count]: whose labels each sample gets, where a share of them is dealt anew."""
    rows = np.arange(count)
    chosen = random.permutation(count)[: round(share * count)]
    rows[chosen] = random.permutation(chosen)
    return rows


def with_wrong_labels(real: RealData, share: float) -> SampleSet:
    """Held-out samples, a share of whose labels and numbers is dealt anew."""
    return real.held_out.dealt(dealt_anew(len(real.held_out), share, real.random(4)))


CORRUPTIONS.register("wrong labels")(
    Corruption(
        "wrong labels",
        with_wrong_labels,
        lambda real, share: f"{share:.0%} of the labels dealt anew",
        levels=(0.05, 0.1, 0.25, 0.5, 0.75),
        reads=("conditioning",),
        labels_only=True,
    )
)
