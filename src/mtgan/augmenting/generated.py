"""A model's samples of the classes that are wanted, in the labels of the real data.

K: classes of the level by which they are asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mtgan.data import Dataset
from mtgan.data.names import class_map
from mtgan.data.samples import Samples
from mtgan.data.taxonomy import Taxonomy
from mtgan.errors import UserError
from mtgan.limits import LARGEST_SEED
from mtgan.registry import nearest
from mtgan.training.model import Model, Step
from mtgan.training.seeds import mix_seed

MOST_TRIES = 20
"""Samples that are made, at most, for one that passes the filter."""

Filter = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From samples uint8 [n, C, H, W] and the classes asked for [n] to bool [n]: which are kept."""


@dataclass(frozen=True)
class Generated:
    """Samples that were made, and how many had to be.

    data: in the taxonomy of the real data, class by class. wanted, tried: int64 [K], how many were
    asked for, and made.
    """

    data: Dataset
    level: str
    wanted: np.ndarray
    tried: np.ndarray

    @property
    def kept(self) -> np.ndarray:
        """int64 [K]."""
        labels = self.data.labels_of(self.level)
        return np.bincount(labels, minlength=len(self.wanted))

    def notes(self) -> list[str]:
        """A sentence for each class of which the filter has left too few."""
        names = self.data.taxonomy.classes[self.level]
        return [
            f"{names[k]}: {self.kept[k]:,} of {self.wanted[k]:,} samples; the filter rejected the "
            f"others of {self.tried[k]:,} that were made."
            for k in np.flatnonzero(self.kept < self.wanted)
        ]


def generated_for(
    model: Model,
    real: Dataset,
    level: str,
    wanted: np.ndarray,
    *,
    keep: Filter | None = None,
    seed: int = 0,
    step: Step = None,
    device: str = "cpu",
) -> Generated:
    """Samples of a model, so many of each class of a level of the real data, int64 [K].

    What is asked for by a coarse level has fine classes as they occur in the model's training data.
    keep: which are taken; others are made in place of the rest, MOST_TRIES for each at most. The
    first ones are those of `model.sample` by this seed. UserError for a class that the model does
    not know, samples of another shape, and where none are wanted.
    """
    if not wanted.any():
        raise UserError(
            f"All classes of level {level!r} of {real.name} have as many samples as the rule asks "
            "for; say how many each gets, as --rule 100 (added.rule in a study)."
        )
    _refuse_unfit(model, real, level, wanted)
    names = real.taxonomy.classes[level]
    tried, missing = np.zeros(len(wanted), dtype=np.int64), wanted.copy()
    found: list[Dataset] = []
    for attempt in range(MOST_TRIES if keep else 1):
        asked = np.repeat(np.arange(len(wanted)), missing)
        if not len(asked):
            break
        tried += missing
        drawn = mix_seed(seed, "more samples", attempt) % LARGEST_SEED if attempt else seed
        labels = [{level: names[k]} for k in asked]
        made = model.sample(labels=labels, seed=drawn, step=step, device=device)
        kept = np.ones(len(asked), bool) if keep is None else keep(np.asarray(made), asked)
        found.append(_as_real(made, real, level, asked).select(np.flatnonzero(kept)))
        missing = missing - np.bincount(asked[kept], minlength=len(wanted))
    return Generated(_by_class(found, level), level, wanted, tried)


def with_added(real: Dataset, added: Dataset) -> Dataset:
    """Real samples and others of the same taxonomy behind them, which nothing is tested or
    validated on (Dataset.generated)."""
    made = np.zeros(len(real), bool) if real.generated is None else real.generated
    return replace(
        real,
        samples=np.concatenate([np.asarray(real.samples), added.samples]),
        labels=np.concatenate([real.labels, added.labels]),
        generated=np.concatenate([made, np.ones(len(added), bool)]),
        numbers={k: np.concatenate([v, added.numbers[k]]) for k, v in real.numbers.items()},
        spec={},
        stored_fingerprint=None,
    )


def _refuse_unfit(model: Model, real: Dataset, level: str, wanted: np.ndarray) -> None:
    """UserError where the model makes no samples like these, or does not know a class of them."""
    if real.domains or model.dataset_info.domains:
        raise UserError(
            f"{real.name if real.domains else model.path} is of several domains, and images alone "
            "are augmented; take a set of images."
        )
    if model.dataset_info.shape != real.shape:
        shapes = [" x ".join(map(str, s)) for s in (model.dataset_info.shape, real.shape)]
        raise UserError(
            f"{model.path} makes samples of {shapes[0]}, and those of {real.name} are {shapes[1]}; "
            "load the data in the size of the model's."
        )
    known = model.dataset_info.taxonomy.classes.get(level)
    if known is None:
        others = nearest(level, list(model.dataset_info.taxonomy.levels))
        raise UserError(f"{model.path} does not know the level {level!r} of {real.name}: {others}")
    for k in np.flatnonzero(wanted):
        if (name := real.taxonomy.classes[level][k]) not in known:
            raise UserError(
                f"{real.name} has the class {name!r} of level {level!r}, and {model.path} does not "
                f"know it: {nearest(name, list(known))}"
            )


def _as_real(made: Samples, real: Dataset, level: str, asked: np.ndarray) -> Dataset:
    """Samples under the real data's taxonomy, which says what lies in which class."""
    taxonomy = real.taxonomy
    own = made.taxonomy or Taxonomy((), {}, {})
    rows = np.full((len(made), len(taxonomy.levels)), -1, dtype=np.int64)
    for column, name in enumerate(taxonomy.levels):
        if name == level:
            rows[:, column] = asked
        elif made.labels is not None and name in own.levels:
            places = class_map(own.classes[name], taxonomy.classes[name])
            rows[:, column] = places[made.labels[:, own.levels.index(name)]]
    implied = taxonomy.label_rows(rows[:, 0])
    rows = taxonomy.with_implied(np.where(implied >= 0, implied, rows))
    none = np.full(len(made), np.nan, dtype=np.float32)
    numbers = {name: made.numbers.get(name, none) for name in real.numbers}
    return Dataset(
        *(np.asarray(made), rows, taxonomy, f"samples for {real.name}", real.split),
        generated=np.ones(len(made), bool),
        numbers=numbers,
    )


def _by_class(parts: list[Dataset], level: str) -> Dataset:
    whole = parts[0]
    for part in parts[1:]:
        whole = with_added(whole, part)
    return whole.select(np.argsort(whole.labels_of(level), kind="stable"))
