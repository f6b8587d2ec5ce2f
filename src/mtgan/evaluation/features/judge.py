"""May these features give an overall figure? What is measured of the judge, before it judges."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from mtgan.evaluation.features import FeatureExtractor, Fitness
from mtgan.evaluation.features.fitness import NumberFitness

LEAST_SHARE_OF_DIMENSIONS = 1 / 4
"""Fewer samples than this share of the feature dimensions lie too far apart for neighborhoods."""


@dataclass(frozen=True)
class Judge:
    """A feature space in its office.

    Attributes:
        space: Its name.
        fitness: What it recognizes, by label level; empty where that is not known.
        numbers: How well it tells numbers, by name.
        rival: What is known of the space that was not taken.
        unfit: Levels and numbers of which that is too little, so that obedience to them cannot be
            scored.
        doubts: Why there is no overall figure, a sentence each; empty where there is one.
        known: Sentences about one that is no feature space.
    """

    space: str
    fitness: Mapping[str, Fitness]
    rival: str = ""
    unfit: frozenset[str] = frozenset()
    doubts: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    numbers: Mapping[str, NumberFitness] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        extractor: FeatureExtractor,
        fitness: Mapping[str, Fitness],
        samples: int,
        numbers: Mapping[str, NumberFitness] = MappingProxyType({}),
    ) -> "Judge":
        """Judge the judge of so many samples of each side."""
        least_skill = extractor.least_skill
        dim = {name for name, one in fitness.items() if not one.passes(least_skill)}
        unread = {name for name, one in numbers.items() if not one.passes()}
        doubts = []
        if not extractor.sees_content:
            doubts.append(
                f"{extractor.name} compare positions and brightness, and cannot tell fog from "
                "objects; take --features auto"
            )
        least = round(extractor.dim * LEAST_SHARE_OF_DIMENSIONS)
        if samples < least:
            doubts.append(
                f"{samples:,} samples of each side are too few for {extractor.dim:,} feature "
                f"dimensions; give at least {least:,} generated, real and held-out images"
            )
        if fitness and len(dim) == len(fitness):
            doubts.append(
                f"{extractor.name} recognizes too few held-out real images; give more labeled "
                "images, or weights that know such pictures (--features module:function)"
            )
        unfit = frozenset(dim | unread)
        known = dict(fitness), extractor.rival, unfit, tuple(doubts)
        return cls(extractor.name, *known, numbers=dict(numbers))

    def sentences(self) -> list[str]:
        """What to read before any number."""
        measured = [one.sentence() for one in self.fitness.values()]
        measured += [one.sentence() for one in self.numbers.values()]
        known = [f"judge: {self.space}, {sentence}" for sentence in measured]
        known += self.known
        unfit = [
            f"no score for conditioning at {'number' if name in self.numbers else 'level'} {name}: "
            "the judge is too weak there"
            for name in sorted(self.unfit)
        ]
        return [
            *(known or [f"judge: {self.space}; it is not known what it recognizes"]),
            *([f"not taken: {self.rival}"] if self.rival else []),
            *unfit,
            *(f"no overall figure: {doubt}" for doubt in self.doubts),
        ]
