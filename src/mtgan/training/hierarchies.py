"""Label levels that a recipe gives a data set instead of, or beside, its own: controls of whether
it is the *hierarchy* that helps a GAN, or just a second head (thesis 2017, chapter 6; proposal).
"""

from collections.abc import Sequence

from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.parts import HIERARCHIES
from mtgan.recipes.schema import Hierarchy
from mtgan.training.instruments import Confusion


def with_hierarchies(
    data: Dataset, hierarchies: Sequence[Hierarchy], confusion: Confusion | None = None
) -> Dataset:
    """The data under a recipe's hierarchies, one after another; same samples and finest labels.

    UserError where one needs labels, or a classifier, that there are not.
    """
    if hierarchies and not data.taxonomy.levels:
        raise UserError(f"{data.name} has no labels that the recipe's hierarchy could group.")
    for part in hierarchies:
        data = HIERARCHIES.get(part.kind)(data, part, confusion)
    return data


@HIERARCHIES.register("same")
def same(data: Dataset, part: Hierarchy, confusion: Confusion | None) -> Dataset:
    """The finest level once more under another name."""
    return data.with_same_labels(data.taxonomy.levels[0], part.name)


@HIERARCHIES.register("random")
def random(data: Dataset, part: Hierarchy, confusion: Confusion | None) -> Dataset:
    """Superclasses drawn at random."""
    taxonomy = data.taxonomy.with_random_hierarchy(_count(data, part), part.seed, part.name)
    return data.with_taxonomy(taxonomy)


@HIERARCHIES.register("clustered")
def clustered(data: Dataset, part: Hierarchy, confusion: Confusion | None) -> Dataset:
    """Superclasses of what a classifier confuses."""
    if confusion is None:
        raise UserError(
            "Classes are clustered by what a classifier confuses, and none was handed over; take "
            "mtgan.train, or hierarchy.0.kind=random."
        )
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
