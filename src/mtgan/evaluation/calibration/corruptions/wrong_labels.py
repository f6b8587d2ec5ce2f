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
    damaged = labels.copy()
    chosen = random.permutation(len(labels))[: round(share * len(labels))]
    damaged[chosen] = labels[random.permutation(chosen)]
    return damaged


def with_wrong_labels(real: RealData, share: float) -> SampleSet:
    """Held-out samples, a share of whose labels is dealt anew."""
    if real.held_out.labels is None:
        return real.held_out
    labels = wrong_labels(real.held_out.labels, share, real.random(4))
    return real.held_out.with_labels(labels)


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
