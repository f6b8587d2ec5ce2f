"""Sets whose quality is known: held-out real data, the floors of each axis, the damage ladder.

All are made from the dataset itself and measured by the same code at the same sample size as the
samples that are judged, which is why a score means the same on every dataset.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mtgan.evaluation.comparison import SampleSet, Setting
from mtgan.evaluation.damages import (
    damage_images,
    independent_pixels,
    rows_of_classes,
    wrong_labels,
)
from mtgan.evaluation.features import FeatureExtractor

FEW_IMAGES = 32


@dataclass(frozen=True)
class RealSide:
    """The real data of one evaluation.

    Attributes:
        reference: N real samples that everything is compared with.
        held_out: N other real samples: the ceiling.
        pool: All real samples outside the reference, held-out ones first: what sets with missing
            modes are drawn from.
        setting: Levels, training data, seed.
        extractor: Takes the features of damaged images.
    """

    reference: SampleSet
    held_out: SampleSet
    pool: SampleSet
    setting: Setting
    extractor: FeatureExtractor

    def _random(self, *key: int) -> np.random.Generator:
        return np.random.default_rng([self.setting.seed, *key])

    @cached_property
    def pool_modes(self) -> np.ndarray:
        """The true finest class of each sample of the pool, or its cluster; int64."""
        if self.setting.levels and self.pool.labels is not None:
            return self.pool.labels[:, self.setting.column(self.setting.levels[0])]
        return self.setting.modes(self.pool.bank)

    @cached_property
    def modes(self) -> np.ndarray:
        """Modes that the pool shows, in the order in which they go missing; int64."""
        present = np.unique(self.pool_modes[self.pool_modes >= 0])
        return self._random(1).permutation(present)

    def with_modes(self, kept: int) -> SampleSet:
        """N real samples of the first modes only; repeats where the data run out."""
        random = self._random(2, kept)
        rows = rows_of_classes(self.pool_modes, self.modes[:kept], len(self.held_out), random)
        return self.pool.take(rows)

    def damaged(self, damage: str, strength: float) -> SampleSet:
        """Held-out images under an image damage."""
        images = damage_images(damage, self.held_out.images, strength, self.setting.seed)
        return SampleSet.of(self.extractor, images, self.held_out.labels)

    def with_copies(self, share: float) -> SampleSet:
        """Held-out samples, a share of them replaced by training images, one grey level off."""
        count = round(share * len(self.held_out))
        random = self._random(3)
        rows = random.permutation(len(self.setting.training))[:count]
        copies = self._jittered(self.setting.training, rows, 1)
        kept = random.permutation(len(self.held_out))[count:]
        return copies.joined(self.held_out.take(kept))

    def with_wrong_labels(self, share: float) -> SampleSet:
        """Held-out samples, a share of whose labels is dealt anew."""
        if self.held_out.labels is None:
            return self.held_out
        labels = wrong_labels(self.held_out.labels, share, self._random(4))
        return self.held_out.with_labels(labels)

    def independent_pixels(self) -> SampleSet:
        """Held-out images, every pixel position shuffled over the set."""
        images = independent_pixels(self.held_out.images, self._random(5))
        return SampleSet.of(self.extractor, images, self.held_out.labels)

    def repeated(self, distinct: int) -> SampleSet:
        """So many held-out images again and again, up to two grey levels off."""
        return self._jittered(self.held_out, np.arange(len(self.held_out)) % distinct, 2)

    def kept_modes(self, missing_share: float) -> int:
        """How many modes remain when about that share of them goes missing."""
        gone = max(1, round(missing_share * len(self.modes)))
        return max(1, len(self.modes) - gone)

    def _jittered(self, source: SampleSet, rows: np.ndarray, levels: int) -> SampleSet:
        """The images of some rows, each pixel off by at most `levels` grey levels."""
        images = source.images[rows].astype(np.int16)
        images += self._random(6, levels).integers(-levels, levels + 1, images.shape)
        labels = None if source.labels is None else source.labels[rows]
        return SampleSet.of(self.extractor, np.clip(images, 0, 255).astype(np.uint8), labels)


FLOORS: dict[str, tuple[Callable[[RealSide], SampleSet], ...]] = {
    "distribution": (lambda real: real.with_modes(1),),
    "fidelity": (lambda real: real.damaged("noise", 1.0), RealSide.independent_pixels),
    "modes": (lambda real: real.with_modes(1),),
    "diversity": (lambda real: real.with_modes(1), lambda real: real.repeated(FEW_IMAGES)),
    "conditioning": (lambda real: real.with_wrong_labels(1.0),),
    "authenticity": (lambda real: real.with_copies(1.0),),
}
"""Makers of the sets that mark 0 on each axis; of several, the one farthest from real.

Noise is no floor of the distribution: between real data and noise the loss of half the classes
looks like nothing. Blur is no floor at all: precision and density reward it.
"""


@dataclass(frozen=True)
class KnownDamage:
    """One kind of damage on the ladder.

    Attributes:
        name: Its name.
        reads: The axes that are read aloud in its terms.
        strengths: Shares or strengths in (0, 1], rising.
        make: The damaged set.
        words: The amount in words.
        labels_only: Whether it damages labels and leaves the images alone.
        fills_up: Whether training images take the places of missing ones, so that authenticity
            says nothing.
    """

    name: str
    reads: tuple[str, ...]
    strengths: tuple[float, ...]
    make: Callable[[RealSide, float], SampleSet]
    words: Callable[[RealSide, float], str]
    labels_only: bool = False
    fills_up: bool = False


def _missing_words(real: RealSide, share: float) -> str:
    gone = len(real.modes) - real.kept_modes(share)
    return f"{gone} of {len(real.modes)} {real.setting.mode_noun} missing"


LADDER = (
    KnownDamage(
        "missing modes",
        ("distribution", "modes"),
        (0.1, 0.2, 0.3, 0.5, 0.7, 0.9),
        lambda real, share: real.with_modes(real.kept_modes(share)),
        _missing_words,
        fills_up=True,
    ),
    KnownDamage(
        "noise",
        ("fidelity",),
        (0.03, 0.06, 0.12, 0.25, 0.5),
        lambda real, strength: real.damaged("noise", strength),
        lambda real, strength: f"{strength:.0%} noise mixed in",
    ),
    KnownDamage(
        "blur",
        (),
        (0.1, 0.2, 0.35, 0.6),
        lambda real, strength: real.damaged("blur", strength),
        lambda real, strength: (
            f"blur of {strength * min(real.held_out.images.shape[2:]) / 8:.1f} px"
        ),
    ),
    KnownDamage(
        "repeats",
        ("diversity",),
        (0.5, 0.75, 0.9, 0.975),
        lambda real, share: real.repeated(max(1, round((1 - share) * len(real.held_out)))),
        lambda real, share: f"every image {1 / (1 - share):.0f} times",
    ),
    KnownDamage(
        "wrong labels",
        ("conditioning",),
        (0.05, 0.1, 0.25, 0.5, 0.75),
        RealSide.with_wrong_labels,
        lambda real, share: f"{share:.0%} of the labels dealt anew",
        labels_only=True,
    ),
    KnownDamage(
        "copies",
        ("authenticity",),
        (0.1, 0.25, 0.5, 0.75),
        RealSide.with_copies,
        lambda real, share: f"{share:.0%} copies of training images",
    ),
)
"""Known damages, and the axes that are read aloud in their terms."""
