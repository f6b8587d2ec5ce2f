"""One domain of a data set over several: its samples, and its labels.

Such a set has two label levels: `class`, the finest classes of all domains (a domain without labels
is one class), and above it `domain`, the task code.
"""

import numpy as np

from mtgan.data.dataset import Dataset
from mtgan.data.taxonomy import Taxonomy
from mtgan.errors import UserError
from mtgan.registry import nearest

CLASS_LEVEL, DOMAIN_LEVEL = "class", "domain"


def one_domain(data: Dataset, name: str) -> Dataset | list[str]:
    """The strings of one domain of a set over several, or its images as a data set of their own,
    with the one level `class`. UserError where there is no such domain."""
    names = [domain.name for domain in data.domains]
    if name not in names:
        raise UserError(f"{data.name} has no domain {name!r}: {nearest(name, names)}")
    index, domain = names.index(name), data.domains[names.index(name)]
    chosen = np.flatnonzero(np.asarray(data.labels)[:, 1] == index)
    samples = domain.read(data.samples[chosen])
    if isinstance(samples, list):
        return samples
    _, classes = _classes_of(data.taxonomy, index)
    labels = own_labels(np.asarray(data.labels)[chosen], data.taxonomy, name)
    taxonomy = Taxonomy((CLASS_LEVEL,), {CLASS_LEVEL: classes}, {})
    return Dataset(samples, labels, taxonomy, name=f"{data.name}/{name}", split=data.split)


def image_sets(data: Dataset) -> list[Dataset]:
    """The images of every domain that has images; a set without domains is itself one."""
    if not data.domains:
        return [data]
    found = [one_domain(data, domain.name) for domain in data.domains if domain.type == "image"]
    return [images for images in found if isinstance(images, Dataset)]


def own_labels(rows: np.ndarray, taxonomy: Taxonomy, name: str) -> np.ndarray:
    """Label rows [N, 2] of one domain's samples as rows [N, 1] of `one_domain`; -1 stays."""
    first, _ = _classes_of(taxonomy, taxonomy.classes[DOMAIN_LEVEL].index(name))
    return np.where(rows[:, :1] >= 0, rows[:, :1] - first, -1)


def _classes_of(taxonomy: Taxonomy, domain: int) -> tuple[int, tuple[str, ...]]:
    """The first class of a domain, and the names of its classes."""
    parents = np.asarray(taxonomy.parents[CLASS_LEVEL][1])
    own = np.flatnonzero(parents == domain)
    return int(own[0]), tuple(taxonomy.classes[CLASS_LEVEL][own[0] : own[-1] + 1])
