"""Which classes of another data set the classes of this one correspond to: by name, or through the
taxonomy where names differ.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from mtgan.data.taxonomy import Taxonomy


@dataclass(frozen=True)
class Correspondence:
    """What a class corresponds to: classes of the other data set's level, by their indices, of
    which it is one or the mean of several; by: "name", "superclass NAME", "subclasses" or "all"."""

    others: tuple[int, ...]
    by: str


def corresponding_levels(own: Taxonomy, other: Taxonomy) -> dict[str, str]:
    """For a level of `own` the one of `other` that is called alike; for one of the chain without a
    namesake that at the same place of the chain, where that has none either."""
    found = {level: level for level in own.levels if level in other.levels}
    for level, place in zip(own.chain, other.chain, strict=False):
        if level not in found and place not in found:
            found[level] = place
    return found


def corresponding_classes(
    own: Taxonomy, level: str, other: Taxonomy, to: str, known: Collection[int]
) -> list[Correspondence]:
    """For each class of `own` at `level` what it corresponds to among the `known` classes of
    `other` at `to`.

    The first of these that there is: the class of that name; the classes that lie in a class of
    that name; those that have its own subclasses; those that lie in its superclass, from the
    nearest superclass on; all. Nothing where none is known.
    """
    return [
        next(
            (c for c in _candidates(own, level, index, other, to, known) if c.others),
            Correspondence((), "nothing"),
        )
        for index in range(own.num_classes(level))
    ]


def _candidates(
    own: Taxonomy, level: str, index: int, other: Taxonomy, to: str, known: Collection[int]
) -> Iterator[Correspondence]:
    def among_known(indices: list[int], by: str) -> Correspondence:
        return Correspondence(tuple(sorted({i for i in indices if i in known})), by)

    name = own.classes[level][index]
    yield among_known([i for i, one in enumerate(other.classes[to]) if one == name], "name")
    yield among_known(_members(other, to, name), f"superclass {name}")
    yield among_known(_holders(own, level, index, other, to), "subclasses")
    for above in own.above(level):
        superclass = own.classes[above][int(own.ancestors(np.array(index), level, above))]
        yield among_known(_members(other, to, superclass), f"superclass {superclass}")
    yield among_known(list(range(other.num_classes(to))), "all")


def _members(taxonomy: Taxonomy, level: str, name: str) -> list[int]:
    """The classes of a level that lie in a class of this name at any level above."""
    classes = np.arange(taxonomy.num_classes(level))
    for above in taxonomy.above(level):
        if name in taxonomy.classes[above]:
            place = taxonomy.classes[above].index(name)
            return np.flatnonzero(taxonomy.ancestors(classes, level, above) == place).tolist()
    return []


def _holders(own: Taxonomy, level: str, index: int, other: Taxonomy, to: str) -> list[int]:
    """The classes of `other` at `to` in which namesakes of the class's own subclasses lie."""
    found = set()
    for finer in other.levels:
        if to not in other.above(finer) or level not in own.above(finer):
            continue
        for name in _names_within(own, finer, level, index):
            if name in other.classes[finer]:
                place = np.array(other.classes[finer].index(name))
                found.add(int(other.ancestors(place, finer, to)))
    return sorted(found)


def _names_within(taxonomy: Taxonomy, finer: str, level: str, index: int) -> list[str]:
    classes = np.arange(taxonomy.num_classes(finer))
    within = taxonomy.ancestors(classes, finer, level) == index
    return [taxonomy.classes[finer][i] for i in np.flatnonzero(within)]
