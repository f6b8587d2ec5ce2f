"""Label levels that a recipe gives a data set instead of, or beside, its own: controls of whether
it is the *hierarchy* that helps a GAN, or just a second head (thesis 2017, chapter 6; proposal).
"""

from collections.abc import Sequence

import numpy as np
import torch

from mtgan.data import Dataset
from mtgan.data.pixels import to_floats
from mtgan.errors import UserError
from mtgan.evaluation.features.classifier import train_classifier
from mtgan.parts import HIERARCHIES
from mtgan.recipes.schema import Hierarchy


def with_hierarchies(data: Dataset, hierarchies: Sequence[Hierarchy]) -> Dataset:
    """The data under a recipe's hierarchies, one after another; same samples and finest labels."""
    if hierarchies and not data.taxonomy.levels:
        raise UserError(f"{data.name} has no labels that the recipe's hierarchy could group.")
    for part in hierarchies:
        data = HIERARCHIES.get(part.kind)(data, part)
    return data


@HIERARCHIES.register("same")
def same(data: Dataset, part: Hierarchy) -> Dataset:
    """The finest level once more under another name."""
    return data.with_same_labels(data.taxonomy.levels[0], part.name)


@HIERARCHIES.register("random")
def random(data: Dataset, part: Hierarchy) -> Dataset:
    """Superclasses drawn at random."""
    taxonomy = data.taxonomy.with_random_hierarchy(_count(data, part), part.seed, part.name)
    return data.with_taxonomy(taxonomy)


@HIERARCHIES.register("clustered")
def clustered(data: Dataset, part: Hierarchy) -> Dataset:
    """Superclasses of what a classifier confuses: it is trained on one half of the samples, and
    its mistakes are counted on the other."""
    taxonomy = data.taxonomy.with_clustered_hierarchy(
        confusion(data, part.seed), _count(data, part), part.name
    )
    return data.with_taxonomy(taxonomy)


def _count(data: Dataset, part: Hierarchy) -> int:
    """As many superclasses as asked for, else as the data's own next level has, else the root."""
    if part.classes:
        return part.classes
    own = data.taxonomy.chain[1:2]
    count = data.taxonomy.num_classes(data.taxonomy.levels[0])
    return data.taxonomy.num_classes(own[0]) if own else max(2, round(count**0.5))


def confusion(data: Dataset, seed: int = 0) -> np.ndarray:
    """int64 [K, K]: of the samples of each finest class (row), how many were taken for which."""
    level = data.taxonomy.levels[0]
    count = data.taxonomy.num_classes(level)
    known = np.flatnonzero(data.labels_of(level) >= 0)
    order = np.random.default_rng(seed).permutation(known)
    learned, asked = np.sort(order[::2]), np.sort(order[1::2])
    classifier = train_classifier(
        data.samples[learned], data.labels[learned][:, :1], {level: count}, seed=seed
    ).eval()
    said = []
    with torch.no_grad():
        for rows in np.array_split(asked, max(1, len(asked) // 500)):
            logits = classifier(to_floats(data.samples[rows]))[1][level]
            said.append(logits.argmax(1).numpy())
    table = np.zeros((count, count), dtype=np.int64)
    np.add.at(table, (data.labels_of(level)[asked], np.concatenate(said)), 1)
    return table
