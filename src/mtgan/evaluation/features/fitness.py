"""Whether a feature space can judge: how often it recognizes the classes of held-out real images.

A classifier that saw a few hundred photographs calls fog by the right name; a score that rests on
it says nothing. So a judge is measured before it judges, in one way for all spaces: by the logits
of its own where it has some for the level, else by a linear probe of its features.
"""

import math
from dataclasses import asdict, dataclass

import numpy as np

from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.evaluation.cache import array_digest, cache_dir, digest, load_json, save_json
from mtgan.evaluation.features.base import FeatureExtractor, extract
from mtgan.evaluation.features.probe import LinearProbe, NumberProbe

FORMAT = "mtgan-fitness-1"
_TRAINING, _HELD_OUT = 4_000, 2_000  # images that a probe learns from and is tested on, at most
_NORMAL = 1.96


@dataclass(frozen=True)
class Fitness:
    """How well a space tells the classes of one label level apart.

    Attributes:
        level: The label level.
        right: Held-out real images whose class is recognized.
        asked: Held-out real images with a label.
        chance: Share of the commonest class among them.
        classes: Classes in the training labels.
        fewest: Training images of the rarest class.
    """

    level: str
    right: int
    asked: int
    chance: float
    classes: int
    fewest: int

    @property
    def accuracy(self) -> float:
        """Share of right answers in [0, 1]; nan where there was nothing to ask."""
        return self.right / self.asked if self.asked else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the accuracy (Wilson 1927, equation for the score interval)."""
        if not self.asked:
            return 0.0, 1.0
        z, n, p = _NORMAL, self.asked, self.accuracy
        middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
        return max(0.0, middle - half), min(1.0, middle + half)

    def skill(self, accuracy: float) -> float:
        """An accuracy on the scale from guessing the commonest class (0) to always right (1)."""
        return (accuracy - self.chance) / (1 - self.chance) if self.chance < 1 else math.nan

    def passes(self, least: float) -> bool:
        """Whether the skill is at least so much at the interval's lower end."""
        return self.skill(self.interval[0]) >= least

    def sentence(self) -> str:
        """The finding in words."""
        low, high = self.interval
        return (
            f"right on {self.accuracy:.2f} [{low:.2f}, {high:.2f}] of {self.asked:,} held-out real "
            f"images at level {self.level} ({self.classes} classes, {self.fewest:,} training "
            f"images of the rarest; guessing {self.chance:.2f})"
        )


LEAST_OF_NUMBERS = 1 / 3
"""Share of what guessing a number leaves over that has to be known, in spaces that have not learned
the number themselves."""


@dataclass(frozen=True)
class NumberFitness:
    """How well a space tells a number.

    Attributes:
        number: Its name.
        error: Mean distance of what a linear probe says from the numbers of held-out real images.
        spread: Standard error of that mean.
        guess: The same distance of the middle (median) of the training images.
        asked: Held-out real images with a number.
    """

    number: str
    error: float
    spread: float
    guess: float
    asked: int

    def passes(self) -> bool:
        """Whether enough is known, at the upper end of the error's 95 % interval."""
        return self.error + _NORMAL * self.spread <= (1 - LEAST_OF_NUMBERS) * self.guess

    def sentence(self) -> str:
        """The finding in words."""
        return (
            f"off by {self.error:.3g} in the number {self.number} of {self.asked:,} held-out real "
            f"images (guessing the middle {self.guess:.3g})"
        )


def told_numbers(dataset: Dataset) -> tuple[str, ...]:
    """The numbers that have at least two values in a data set."""
    return tuple(
        name
        for name, values in dataset.numbers.items()
        if len(np.unique(values[~np.isnan(values)])) > 1
    )


def measure_numbers(extractor: FeatureExtractor, reference: Dataset) -> dict[str, NumberFitness]:
    """The fitness of every number of the reference, of which held-out images have some."""
    if not told_numbers(reference):
        return {}
    training, held_out = judge_splits(reference)
    known, unseen = probe_images(training), held_out.select(_spaced(len(held_out), _HELD_OUT))
    learned, asked = (extract(extractor, np.asarray(part.samples)) for part in (known, unseen))
    found = {}
    for name in told_numbers(reference):
        truth = unseen.numbers.get(name, np.full(len(unseen), np.nan))
        there = np.flatnonzero(~np.isnan(truth))
        if not len(there) or name not in known.numbers:
            continue
        probe = NumberProbe.fit(learned.features, known.numbers[name])
        errors = np.abs(probe.predict(asked.features[there]) - truth[there])
        middle = np.nanmedian(known.numbers[name])
        found[name] = NumberFitness(
            name,
            error=float(errors.mean()),
            spread=float(errors.std() / math.sqrt(len(there))),
            guess=float(np.abs(truth[there] - middle).mean()),
            asked=len(there),
        )
    return found


def label_levels(dataset: Dataset) -> dict[str, int]:
    """Number of classes of every label level that has at least two classes in the labels."""
    levels = {}
    for column, level in enumerate(dataset.taxonomy.levels):
        present = np.unique(dataset.labels[:, column])
        if (present >= 0).sum() > 1:
            levels[level] = dataset.taxonomy.num_classes(level)
    return levels


def judge_splits(reference: Dataset) -> tuple[Dataset, Dataset]:
    """Training and held-out data of a judge: the set's own splits, or nine tenths and the rest."""
    try:
        training = reference if reference.split == "train" else reference.load_split("train")
        return training, training.load_split("test")
    except UserError:
        order = np.random.default_rng(0).permutation(len(reference.samples))
        cut = max(1, len(order) // 10)
        return reference.select(np.sort(order[cut:])), reference.select(np.sort(order[:cut]))


def measure_fitness(extractor: FeatureExtractor, reference: Dataset) -> dict[str, Fitness]:
    """The fitness at every label level of the reference, finest first; from the cache if known.

    Args:
        extractor: The feature space. A classifier must have been trained on the training part of
            `judge_splits(reference)` alone.
        reference: The real data; without labels the answer is empty.
    """
    if not label_levels(reference):
        return {}
    training, held_out = judge_splits(reference)
    parts = [(part.fingerprint, array_digest(part.labels)) for part in (training, held_out)]
    key = digest(FORMAT, extractor.fingerprint, parts, list(label_levels(reference).items()))
    path = cache_dir("fitness") / f"{key}.json"
    known = load_json(path) if extractor.cacheable else None
    if known is not None:
        return {level: Fitness(**values) for level, values in known.items()}
    found = _measure(extractor, training, held_out)
    if extractor.cacheable:
        save_json(path, {level: asdict(one) for level, one in found.items()})
    return found


def probe_images(training: Dataset) -> Dataset:
    """At most 4,000 images, always the same ones, from which probes learn in a moment."""
    return training.select(_spaced(len(training), _TRAINING))


def fit_probes(extractor: FeatureExtractor, training: Dataset) -> dict[str, LinearProbe]:
    """A linear probe for every label level of which the features have no logits of their own, from
    at most 4,000 images."""
    levels = [level for level in label_levels(training) if level not in extractor.logit_levels]
    if not levels:
        return {}
    known = probe_images(training)
    features = extract(extractor, np.asarray(known.samples)).features
    return {level: LinearProbe.fit(features, known.labels_of(level)) for level in levels}


def agreement(one: FeatureExtractor, other: FeatureExtractor, reference: Dataset) -> float:
    """Share of held-out real images to which two spaces give the same class of the finest level.

    Labels play no part in it: two judges that are right as often and agree on little see
    different things. UserError as `extract` raises it; nan without held-out images.
    """
    training, held_out = judge_splits(reference)
    unseen = held_out.select(_spaced(len(held_out), _HELD_OUT))
    level = next(iter(label_levels(training)))
    first, second = (
        _classes_said(extractor, training, unseen)[level] for extractor in (one, other)
    )
    return float((first == second).mean()) if len(first) else math.nan


def _classes_said(
    extractor: FeatureExtractor, training: Dataset, unseen: Dataset
) -> dict[str, np.ndarray]:
    """The class that the space gives to every image, int64 [N] by label level."""
    bank = extract(extractor, np.asarray(unseen.samples))
    probes = fit_probes(extractor, training)
    return {
        level: probes[level].predict(bank.features)
        if level in probes
        else bank.logits[level].argmax(axis=1)
        for level in label_levels(training)
    }


def _measure(
    extractor: FeatureExtractor, training: Dataset, held_out: Dataset
) -> dict[str, Fitness]:
    unseen = held_out.select(_spaced(len(held_out), _HELD_OUT))
    found = {}
    for level, guess in _classes_said(extractor, training, unseen).items():
        column = training.taxonomy.levels.index(level)
        asked = unseen.labels[:, column]
        counts = np.bincount(training.labels[training.labels[:, column] >= 0, column])
        among = np.bincount(asked[asked >= 0])
        found[level] = Fitness(
            level=level,
            right=int((guess == asked)[asked >= 0].sum()),
            asked=int((asked >= 0).sum()),
            chance=float(among.max() / among.sum()) if len(among) else math.nan,
            classes=int((counts > 0).sum()),
            fewest=int(counts[counts > 0].min()),
        )
    return found


def _spaced(count: int, most: int) -> np.ndarray:
    """At most so many rows of `count`, drawn at random but always the same ones, sorted."""
    return np.sort(np.random.default_rng(0).permutation(count)[:most])
