"""Real data sets judged by themselves and by each other.

The thesis (3.0.3) asks whether a measure says the same of every data set: real samples of one,
judged against real samples of the same, should score as those of another do. It found inception
scores of 11.23 and 14.69 for CIFAR-10 and CIFAR-100, and Frechet distances of 5.85 and 5.29. Here a
set is halved at random, again and again: one half is compared with the other.

N: samples of each half.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
import torch

from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.evaluation.cache import to_device
from mtgan.evaluation.data import draw
from mtgan.evaluation.features import FeatureBank, FeatureRequest, build_extractor, extract
from mtgan.evaluation.inputs import check_alike
from mtgan.evaluation.metrics.frechet_distance import frechet_from_statistics
from mtgan.evaluation.metrics.inception_score import inception_score
from mtgan.evaluation.pairwise.gaussian import GaussianStatistics
from mtgan.evaluation.scorecard.tables import number
from mtgan.limits import FEWEST_JUDGED, LARGEST_COUNT, check_number, check_seed

_MOST = 5_000  # samples of a half unless more are asked for, as in the thesis
_POOL = 4  # halves are drawn from so many times N samples of a set, at most
_ANY_SHAPE = ("imagenet-lite", "inception")


@dataclass(frozen=True)
class Spread:
    """Mean over the halvings, and the smallest and the largest value."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(float(np.mean(values)), min(values), max(values))

    def __str__(self) -> str:
        return f"{number(self.mean)} ({number(self.low)} to {number(self.high)})"


@dataclass(frozen=True)
class RealSets:
    """What real sets score.

    Attributes:
        n: Samples of each half.
        halvings: How often each set was halved.
        features: The feature space.
        frechet_distance: Of a half to the other, by set.
        inception_score: Of a half, by set; empty where the features have no logits.
        between: Frechet distance of a half of one set to a half of another, [first][second].
    """

    n: int
    halvings: int
    features: str
    frechet_distance: Mapping[str, Spread]
    inception_score: Mapping[str, Spread]
    between: Mapping[str, Mapping[str, Spread]]

    @property
    def verdict(self) -> str:
        """How far the sets are from each other on either measure, in a sentence or two."""
        own = self.frechet_distance
        words = [f"Halves of {self.n:,} in {self.features}: {_ratio('Frechet distances', own)}."]
        if self.inception_score and len(own) > 1:
            words.append(f"For comparison, {_ratio('inception scores', self.inception_score)}.")
        return " ".join(words)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"verdict": self.verdict, **asdict(self)}

    def table(self) -> Any:
        """For rich: a row for each set, and the verdict."""
        from rich.console import Group
        from rich.table import Table

        from mtgan.text import literal

        names = list(self.frechet_distance)
        others = [f"distance to {name}" for name in names] if len(names) > 1 else []
        table = Table("real set", "own Frechet distance", "inception score", *others)
        for name in names:
            score = self.inception_score.get(name, "")
            table.add_row(
                literal(name),
                *(str(self.frechet_distance[name]), str(score)),
                *(str(self.between[name].get(other, "")) for other in names if others),
            )
        return Group(table, literal(self.verdict))


def _ratio(what: str, values: Mapping[str, Spread]) -> str:
    means = {name: value.mean for name, value in values.items()}
    low, high = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    if low == high:
        return f"the {what} of {low} are {values[low]}"
    return f"{what} go from {number(means[low])} ({low}) to {number(means[high])} ({high})"


def judge_real_sets(
    sets: Mapping[str, Dataset],
    *,
    n: int | None = None,
    halvings: int = 4,
    features: str = "imagenet-lite",
    seed: int = 0,
    device: str | torch.device = "cpu",
    progress: Callable[[str], None] = lambda message: None,
) -> RealSets:
    """Judge each of some real sets by itself, and against the others.

    Args:
        sets: Data sets by name.
        n: Samples of each half, the same for all; half of the smallest set, and at most 5,000,
            when None.
        halvings: How often each set is halved at random.
        features: Feature space by name; one that is trained on data is trained on the first set.
        seed: Decides every random draw.
        device: Where features are computed.
        progress: Called with a sentence before each part that takes a while.

    Raises:
        UserError: No set, too few samples, sets that this feature space cannot compare.
    """
    if not sets:
        raise UserError("Give one real set or more.")
    check_seed(seed)
    check_number("halvings", halvings, 1, 100)
    size = _half(sets, n)
    first, *rest = sets.values()
    if features not in _ANY_SHAPE:
        for other in rest:
            check_alike(other.samples, first.samples)
    extractor = build_extractor(
        FeatureRequest(features, first, device=to_device(device), progress=progress)
    )
    halves = {}
    for index, (name, data) in enumerate(sets.items()):
        progress(f"taking features of {name}")
        rows = draw(len(data), min(len(data), _POOL * size), seed, index)
        bank = extract(extractor, np.asarray(data.samples[rows]))
        random = np.random.default_rng([seed, index])
        halves[name] = [_halved(bank, random.permutation(len(bank)), size) for _ in range(halvings)]
    progress("comparing")
    scores = {
        name: Spread.of([one.score(level) for one, _ in pairs])
        for name, pairs in halves.items()
        for level in extractor.logit_levels[:1]
    }
    between: dict[str, dict[str, Spread]] = {name: {} for name in sets}
    for a, b in combinations(sets, 2):
        pairs = zip(halves[a], halves[b], strict=True)
        between[a][b] = between[b][a] = Spread.of([x[0].distance(y[1]) for x, y in pairs])
    own = {name: Spread.of([x.distance(y) for x, y in pairs]) for name, pairs in halves.items()}
    return RealSets(size, halvings, extractor.label, own, scores, between)


@dataclass(frozen=True)
class _Half:
    """Half of a real set: its features and their Gaussian."""

    bank: FeatureBank
    fitted: GaussianStatistics

    @classmethod
    def of(cls, bank: FeatureBank) -> "_Half":
        return cls(bank, GaussianStatistics.from_features(bank.features))

    def distance(self, other: "_Half") -> float:
        return frechet_from_statistics(self.fitted, other.fitted)

    def score(self, level: str) -> float:
        return inception_score(self.bank.logits[level], splits=1, inputs="logits").value


def _halved(bank: FeatureBank, order: np.ndarray, size: int) -> tuple[_Half, _Half]:
    parts = order[:size], order[size : 2 * size]
    first, second = (_Half.of(bank.take(rows)) for rows in parts)
    return first, second


def _half(sets: Mapping[str, Dataset], n: int | None) -> int:
    """Samples of each half; UserError where a set has too few."""
    smallest = min(sets, key=lambda name: len(sets[name]))
    most = len(sets[smallest]) // 2
    if most < FEWEST_JUDGED:
        raise UserError(
            f"{smallest} has {len(sets[smallest])} samples, and halves of {FEWEST_JUDGED} or more "
            "are compared; give a larger set."
        )
    if n is None:
        return min(most, _MOST)
    check_number("--n", n, FEWEST_JUDGED, LARGEST_COUNT)
    if n > most:
        raise UserError(
            f"{smallest} has {len(sets[smallest])} samples, of which no two halves of {n} can be "
            f"drawn; give at most --n {most}."
        )
    return n
