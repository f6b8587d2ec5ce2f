"""Copies of training images."""

from mtgan.evaluation.calibration.corruptions.base import CORRUPTIONS, Corruption
from mtgan.evaluation.calibration.real_data import RealData
from mtgan.evaluation.comparison import SampleSet


def with_copies(real: RealData, share: float) -> SampleSet:
    """Held-out samples, a share of them replaced by training images, one grey level off."""
    count = round(share * len(real.held_out))
    random = real.random(3)
    rows = random.permutation(len(real.context.training))[:count]
    copies = real.jittered(real.context.training, rows, 1)
    kept = random.permutation(len(real.held_out))[count:]
    return copies.joined(real.held_out.take(kept))


CORRUPTIONS.register("copies")(
    Corruption(
        "copies",
        with_copies,
        lambda real, share: f"{share:.0%} copies of training images",
        levels=(0.1, 0.25, 0.5, 0.75),
        reads=("authenticity",),
    )
)
