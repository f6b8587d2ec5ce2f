"""Vicinities: real and generated samples whose numbers are near a target are compared under it.

Ding et al. 2021 ("CcGAN: Continuous Conditional Generative Adversarial Networks for Image
Generation": hard and soft vicinal discriminator loss, HVDL and SVDL; sizes, redrawing and the least
weight as in the authors' code). Of a number few samples have the very value that a discriminator is
asked about. So a target is drawn: the label of a training sample and Gaussian noise of standard
deviation sigma. The real sample under it is any whose label is within a radius of the target, the
generated one is made with any number there, and generators are asked for labels with the same
noise. Labels are on the scale of [0, 1], the range of the training data, in which they are kept in
STEPS.

kind hard: the radius is kappa, and all samples count alike. kind soft: a sample of label y counts
exp(-(y - target)^2 / kappa^2) (nu = 1 / kappa^2 in the paper), and the radius is where that is
LEAST_WEIGHT. Rules of thumb of the paper, where a recipe says nothing: sigma =
(4 s^5 / (3 N))^(1/5) of N labels with standard deviation s (Silverman's), kappa = the largest gap
between neighboring labels (times m_kappa, `gaps` here).

What the paper does not say: noise that leads beyond the range ends at its end; classes that are
told are those of the target's sample; of several numbers all have to be near, and weights are
multiplied; a sample without a number stays under what is known of it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mtgan.data.domains.parts import DOMAIN_LEVEL
from mtgan.data.numbers import STEPS
from mtgan.errors import UserError
from mtgan.recipes.schema import VicinityPart
from mtgan.training.dataset_info import DatasetInfo

LEAST_WEIGHT = 1e-3
"""Samples that count less are not compared, as in the code of Ding et al. 2021."""

_DRAWS = 20  # of noise, until there is a sample near; the last one is none


@dataclass(frozen=True)
class Near:
    """N samples drawn near targets; K numbers, in steps of their ranges, -1 where missing.

    index: int64 [N], the real samples. targets, asked: int64 [N, K], under which both sides are
    compared, and which generated samples are made with. weights: float64 [2, N], of the real and
    the generated samples; None where all count alike.
    """

    index: np.ndarray
    targets: np.ndarray
    asked: np.ndarray
    weights: np.ndarray | None


def rule_of_sigma(labels: np.ndarray, counts: np.ndarray) -> float:
    """(4 s^5 / (3 N))^(1/5), Silverman's rule, of labels [U] that occur so often [U]."""
    total = counts.sum()
    mean = (labels * counts).sum() / total
    deviation = math.sqrt((counts * (labels - mean) ** 2).sum() / total)
    return float((4 * deviation**5 / (3 * total)) ** 0.2)


class Vicinity:
    """How near is near, of the numbers among the levels that a generator is told.

    sigmas, kappas, radii: float64 [K], in steps. UserError (it begins with asked_by) where no
    number is told, or one has nothing near it.
    """

    def __init__(
        self, part: VicinityPart, info: DatasetInfo, told: Sequence[str], asked_by: str
    ) -> None:
        self.soft = part.kind == "soft"
        self._ranges = {name: info.numbers[name] for name in told if name in info.numbers}
        self.names = tuple(self._ranges)
        _refuse(self.names, info, asked_by)
        levels = info.taxonomy.levels
        self.columns = [levels.index(name) for name in self.names]
        alike = {*told} & {*info.class_levels} | ({DOMAIN_LEVEL} if info.domains else set())
        self.alike = [i for i, level in enumerate(levels) if level in alike]
        sizes = [self._sizes(part, info, column) for column in self.columns]
        self.sigmas, self.kappas = np.array(sizes).T
        self.radii = self.kappas * (math.sqrt(-math.log(LEAST_WEIGHT)) if self.soft else 1.0)

    def _sizes(self, part: VicinityPart, info: DatasetInfo, column: int) -> tuple[float, float]:
        known = info.label_rows[:, column] >= 0
        labels, counts = info.label_rows[known, column], info.label_counts[known]
        sigma = rule_of_sigma(labels, counts) if part.sigma is None else part.sigma * STEPS
        gap = np.diff(np.unique(labels)).max() * part.gaps
        return sigma, float(gap) if part.kappa is None else part.kappa * STEPS

    def blurred(self, labels: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """Labels int64 [..., K] and standard normal noise of their shape, made as strong as sigma;
        within the range. Missing ones stay so."""
        moved = np.clip(np.rint(labels + noise * self.sigmas), 0, STEPS).astype(np.int64)
        return np.where(labels >= 0, moved, -1)

    def blurred_rows(self, rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Label rows int64 [N, L], the numbers among them blurred."""
        found, labels = rows.copy(), rows[:, self.columns]
        found[:, self.columns] = self.blurred(labels, random.normal(size=labels.shape))
        return found

    def weights(self, labels: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """float64 [N]: how much samples of labels [N, K] count under targets; numbers that are
        missing are as near as can be."""
        shares = (labels - targets) / np.maximum(self.kappas, np.finfo(float).tiny)
        shares[targets < 0] = 0.0
        return np.exp(-np.square(shares).sum(axis=1))

    def note(self) -> str:
        """How near is near, in the units of the numbers."""
        parts = [
            f"{name!r} blurred by {sigma:.3g}, samples within {radius:.3g} compared"
            for name, sigma, radius in zip(
                self.names, self._in_units(self.sigmas), self._in_units(self.radii), strict=True
            )
        ]
        return f"Vicinity ({'soft' if self.soft else 'hard'}): {'; '.join(parts)}."

    def _in_units(self, steps: np.ndarray) -> list[float]:
        widths = np.array([found.width for found in self._ranges.values()])
        return [float(size) for size in steps / STEPS * widths]


def _refuse(names: Sequence[str], info: DatasetInfo, asked_by: str) -> None:
    if not names:
        found = ", ".join(map(repr, info.numbers)) or "none"
        raise UserError(
            f"{asked_by} has a vicinity, which is one of numbers, and condition_on names no number "
            f"(the data have {found}); name one there, or set vicinity=null."
        )
    for name in names:
        if not info.numbers[name].width:
            raise UserError(
                f"{asked_by} has a vicinity of the number {name!r}, of which the training samples "
                "have one value or none, so that nothing is near it; set vicinity=null."
            )


@dataclass(frozen=True)
class _Group:
    """Samples that have the same classes, and the same numbers missing, by their first number.

    places: int64 [G], which samples; labels: int64 [G, K]; known: the numbers that they have.
    """

    places: np.ndarray
    labels: np.ndarray
    known: np.ndarray

    @cached_property
    def _first(self) -> np.ndarray:
        return np.ascontiguousarray(self.labels[:, self.known[0]])

    def within(self, target: np.ndarray, radii: np.ndarray) -> np.ndarray:
        """The samples whose numbers are all within the radii of a target [K]."""
        first, *others = self.known
        low = np.searchsorted(self._first, target[first] - radii[first], side="left")
        high = np.searchsorted(self._first, target[first] + radii[first], side="right")
        found = self.places[low:high]
        if others:
            far = np.abs(self.labels[low:high, others] - target[others])
            found = found[(far <= radii[others]).all(axis=1)]
        return found


class Neighbors:
    """Finds samples near targets. rows: int64 [N, L], the labels of all samples."""

    def __init__(self, vicinity: Vicinity, rows: np.ndarray) -> None:
        self.vicinity = vicinity
        self._labels = labels = rows[:, vicinity.columns]
        keys = np.concatenate([rows[:, vicinity.alike], labels >= 0], axis=1)
        _, group, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
        self._group = group.reshape(-1)
        order = np.argsort(self._group, kind="stable")
        self._groups = [self._sorted(places) for places in np.split(order, np.cumsum(counts)[:-1])]

    def _sorted(self, places: np.ndarray) -> _Group:
        known = np.flatnonzero(self._labels[places[0]] >= 0)
        if len(known):
            places = places[np.argsort(self._labels[places, known[0]], kind="stable")]
        return _Group(places, self._labels[places], known)

    def draw(self, own: np.ndarray, random: np.random.Generator) -> Near:
        """Targets at the labels of samples int64 [N], and for each a sample near it.

        Where there is none, noise is drawn again, as in the paper's code; after 20 draws the target
        is the label itself.
        """
        labels, vicinity = self._labels[own], self.vicinity
        noise = random.normal(size=(_DRAWS, *labels.shape))
        noise[-1] = 0.0
        lots, places = random.random(len(own)), random.random(labels.shape)
        targets, index = vicinity.blurred(labels, noise), own.copy()
        chosen = np.full_like(labels, -1)
        for i, group in enumerate(self._groups[g] for g in self._group[own]):
            if not len(group.known):
                continue
            for target in targets[:, i]:
                near = group.within(target, vicinity.radii)
                if len(near):
                    chosen[i], index[i] = target, near[int(lots[i] * len(near))]
                    break
        asked = self._asked(chosen, places)
        weights = None
        if vicinity.soft:
            sides = self._labels[index], asked
            weights = np.stack([vicinity.weights(side, chosen) for side in sides])
        return Near(index, chosen, asked, weights)

    def _asked(self, targets: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Numbers to generate with: uniform within the radii of targets, and within the range."""
        low = np.maximum(targets - self.vicinity.radii, 0)
        high = np.minimum(targets + self.vicinity.radii, STEPS)
        asked = np.rint(low + places * (high - low)).astype(np.int64)
        return np.where(targets >= 0, asked, -1)
