"""One domain of a data set over several: its samples, and its labels.

Such a set has two label levels: `class`, the finest classes of all domains (a domain without labels
is one class), and above it `domain`, the task code.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtgan.data.dataset import Dataset
from mtgan.data.domains.base import Domain
from mtgan.data.load import load_dataset
from mtgan.data.samples import Samples
from mtgan.data.taxonomy import Taxonomy
from mtgan.errors import UserError
from mtgan.registry import nearest

CLASS_LEVEL, DOMAIN_LEVEL = "class", "domain"


@dataclass(frozen=True)
class DomainSamples:
    """The N samples of one domain, read back from their canvases.

    samples: as the domain decodes them; labels: int64 [N, 1], -1 where missing, or None; classes:
    what they mean; name, split: of the set; whole: the set over domains, where they are of one;
    notes: sentences about how they were read.
    """

    domain: Domain
    samples: Any
    labels: np.ndarray | None
    classes: tuple[str, ...]
    name: str
    split: str
    whole: Dataset | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.samples)

    def in_split(self, split: str) -> "DomainSamples":
        """Another split of the same; UserError where there is none."""
        if self.whole is None:
            raise UserError(f"{self.name} is no part of a data set, so it has no other split.")
        return one_domain(self.whole.load_split(split), self.domain.name)

    def dataset(self) -> Dataset:
        """Images as a data set of their own, with the one level `class`."""
        taxonomy = Taxonomy((CLASS_LEVEL,), {CLASS_LEVEL: self.classes}, {})
        rows = self.labels
        return Dataset(
            self.samples,
            np.full((len(self), 1), -1, dtype=np.int64) if rows is None else rows,
            taxonomy,
            self.name,
            self.split,
            spec={"split": self.split},
            loader=lambda split, **_: self.in_split(split).dataset(),
        )


def one_domain(data: Dataset, name: str) -> DomainSamples:
    """The samples of one domain of a set over several; UserError where there is no such domain."""
    names = [domain.name for domain in data.domains]
    if name not in names:
        raise UserError(f"{data.name} has no domain {name!r}: {nearest(name, names)}")
    index, domain = names.index(name), data.domains[names.index(name)]
    chosen = np.flatnonzero(np.asarray(data.labels)[:, 1] == index)
    _, classes = _classes_of(data.taxonomy, index)
    labels = own_labels(np.asarray(data.labels)[chosen], data.taxonomy, name)
    samples = domain.decode(data.samples[chosen])
    return DomainSamples(domain, samples, labels, classes, f"{data.name}/{name}", data.split, data)


def on_canvases(samples: Samples, data: Dataset) -> Dataset:
    """Canvases that a generator made, as a set over the domains of its data."""
    labels, taxonomy = samples.labels, samples.taxonomy
    if labels is None or taxonomy is None:
        if len(data.domains) > 1:
            raise UserError(
                f"The samples do not say which of the domains of {data.name} they are of; give "
                "them by domain, or the run that makes them."
            )
        labels, taxonomy = np.tile([-1, 0], (len(samples), 1)), data.taxonomy
    made = np.asarray(samples)
    return Dataset(made, labels, taxonomy, "samples", "all", domains=data.domains)


def largest_part(data: Dataset) -> int:
    """Samples of the largest domain; of all where there are no domains."""
    counts = np.bincount(data.labels_of(DOMAIN_LEVEL)) if data.domains else [len(data)]
    return int(max(counts))


def data_of_strings(name: str, split: str, root: Path | None = None) -> Dataset:
    """A data set of one domain of strings; UserError for any other."""
    data = load_dataset(name, split, root=root)
    if len(data.domains) != 1 or data.domains[0].metrics != "strings":
        raise UserError(f"{name!r} is no data set of strings; name one, as nci-smiles,length=32.")
    return data


def own_labels(rows: np.ndarray, taxonomy: Taxonomy, name: str) -> np.ndarray:
    """Label rows [N, 2] of one domain's samples as rows [N, 1] of `one_domain`; -1 stays."""
    first, _ = _classes_of(taxonomy, taxonomy.classes[DOMAIN_LEVEL].index(name))
    return np.where(rows[:, :1] >= 0, rows[:, :1] - first, -1)


def _classes_of(taxonomy: Taxonomy, domain: int) -> tuple[int, tuple[str, ...]]:
    """The first class of a domain, and the names of its classes."""
    parents = np.asarray(taxonomy.parents[CLASS_LEVEL][1])
    own = np.flatnonzero(parents == domain)
    return int(own[0]), tuple(taxonomy.classes[CLASS_LEVEL][own[0] : own[-1] + 1])
