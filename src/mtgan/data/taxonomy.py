"""What labels mean: label sets, their classes, and which class lies in which.

A label level is one set of labels ("fine", "coarse", "color"). Levels that refine one another form
the chain, finest first; independent attributes follow it and have no parents. Labels are int64,
one column per level, -1 where missing. A class is known by its name, never by its position: two
taxonomies that order the same names differently mean the same.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import index
from pathlib import Path
from typing import Any

import numpy as np

from mtgan.data.names import clean_name, name_fault
from mtgan.data.taxonomy_file import BUILT_IN, EXTENDS, whole_taxonomy
from mtgan.errors import UserError
from mtgan.registry import nearest
from mtgan.renamed import renamed_property
from mtgan.text import html_summary, printable

_SHOWN = 20  # classes of a level, in a notebook


@dataclass(frozen=True, repr=False)
class Taxonomy:
    """Label levels, their classes, and parents.

    Attributes:
        levels: Names of the label levels in the order of the label columns.
        classes: Class names by level; accents are composed and blanks about them left out.
        parents: For a level that another one coarsens: (that level, for each class the index of
            its parent there). Absent for top and for independent levels.

    Raises:
        UserError: Names or parents that do not fit together.
    """

    levels: tuple[str, ...]
    classes: dict[str, tuple[str, ...]]
    parents: dict[str, tuple[str, tuple[int, ...]]]

    def __post_init__(self) -> None:
        if len(set(self.levels)) != len(self.levels) or set(self.levels) != set(self.classes):
            raise UserError(
                f"A taxonomy needs distinct levels with classes each; found levels "
                f"{list(self.levels)} and classes of {sorted(self.classes)}."
            )
        classes = {level: tuple(map(clean_name, names)) for level, names in self.classes.items()}
        object.__setattr__(self, "classes", classes)
        for level, names in classes.items():
            if fault := name_fault(level, level=True):
                raise UserError(f"A label level cannot be called {level!r}: {fault}.")
            for name, count in Counter(names).items():
                if fault := name_fault(name):
                    raise UserError(
                        f"A class of the level {level!r} cannot be called {name!r}: {fault}."
                    )
                if count > 1:
                    raise UserError(f"The label level {level!r} names the class {name!r} twice.")
        for level, (parent, indices) in self.parents.items():
            if level not in self.levels or parent not in self.levels:
                raise UserError(f"The taxonomy has no level {parent!r}, the parent of {level!r}.")
            if self.levels.index(parent) <= self.levels.index(level):
                raise UserError(
                    f"The level {parent!r} should come after {level!r}, which is finer."
                )
            if len(indices) != self.num_classes(level):
                raise UserError(
                    f"The level {level!r} has {self.num_classes(level)} classes and "
                    f"{len(indices)} parents; each class needs one."
                )
            if any(not 0 <= i < self.num_classes(parent) for i in indices):
                raise UserError(f"A parent of level {level!r} is not a class of {parent!r}.")

    def __repr__(self) -> str:
        return f"Taxonomy({printable(self.summary() or 'no labels')})"

    def _repr_html_(self) -> str:
        """For notebooks: each level, and its first classes."""
        rows = {}
        for level, names in self.classes.items():
            more = f", ... ({len(names)} in all)" if len(names) > _SHOWN else ""
            above = f" (refines {self.parents[level][0]})" if level in self.parents else ""
            rows[level + above] = ", ".join(names[:_SHOWN]) + more
        return html_summary("Taxonomy", rows)

    def summary(self) -> str:
        """The levels with their numbers of classes, "fine (10) within coarse (2), tone (3)": those
        that refine one another first, then independent ones."""
        sizes = {level: f"{level} ({len(self.classes[level])})" for level in self.levels}
        alone = [text for level, text in sizes.items() if level not in self.chain]
        chain = " within ".join(sizes[level] for level in self.chain)
        return ", ".join(filter(None, [chain, *alone]))

    # Questions

    def num_classes(self, level: str) -> int:
        return len(self.classes[self._known(level)])

    def class_index(self, level: str, name: str) -> int:
        """Index of a class by name; UserError naming the nearest one where there is none."""
        names = self.classes[self._known(level)]
        if clean_name(name) not in names:
            hint = nearest(name, list(names))
            raise UserError(f"The level {level!r} has no class {name!r}: {hint}")
        return names.index(clean_name(name))

    @property
    def chain(self) -> tuple[str, ...]:
        """The first level and those that coarsen it, in order."""
        chain = list(self.levels[:1])
        while chain and chain[-1] in self.parents:
            chain.append(self.parents[chain[-1]][0])
        return tuple(chain)

    lift = renamed_property("ancestors")

    def ancestors(self, indices: np.ndarray, level: str, to: str) -> np.ndarray:
        """Class indices [...] of `level` as those of their ancestors at level `to`; -1 stays -1."""
        indices = np.asarray(indices)
        while level != to:
            if level not in self.parents:
                raise UserError(f"The level {level!r} is not refined from {to!r}.")
            level, parents = self.parents[level]
            indices = np.where(indices >= 0, np.asarray(parents)[indices], -1)
        return indices

    def above(self, level: str) -> tuple[str, ...]:
        """The levels that coarsen this one, in order."""
        found: list[str] = []
        while level in self.parents:
            level = self.parents[level][0]
            found.append(level)
        return tuple(found)

    def with_implied(self, rows: np.ndarray) -> np.ndarray:
        """Label rows [N, L] in which missing coarse labels (-1) follow from the finer ones."""
        rows = np.array(rows, dtype=np.int64)
        for column, level in enumerate(self.levels):  # finer ones come first
            if level in self.parents:
                above, places = self.parents[level]
                over = self.levels.index(above)
                implied = np.array([*places, -1])[rows[:, column]]
                rows[:, over] = np.where(rows[:, over] >= 0, rows[:, over], implied)
        return rows

    def label_rows(self, finest: np.ndarray) -> np.ndarray:
        """Label rows [N, L] from labels of the first level [N]; levels off the chain are -1."""
        rows = np.full((len(finest), len(self.levels)), -1, dtype=np.int64)
        if not self.levels:
            return rows
        count = self.num_classes(self.levels[0])
        odd = finest[(finest < -1) | (finest >= count)]
        if len(odd):
            raise UserError(
                f"The label {odd[0]} of level {self.levels[0]!r} is outside the taxonomy, which "
                f"has classes 0 to {count - 1} there (and -1 for a missing label)."
            )
        for column, level in enumerate(self.levels):
            if level in self.chain:
                rows[:, column] = self.ancestors(finest, self.levels[0], level)
        return rows

    def by_names(self) -> dict[str, tuple[str | None, dict[str, str | None]]]:
        """{level: (level above, {class: its parent there})}, in no order of classes: equal where
        two taxonomies mean the same. None for what has no parent."""
        found: dict[str, tuple[str | None, dict[str, str | None]]] = {}
        for level, names in self.classes.items():
            if level in self.parents:
                above, places = self.parents[level]
                tops = [self.classes[above][place] for place in places]
                found[level] = (above, dict(zip(names, tops, strict=True)))
            else:
                found[level] = (None, dict.fromkeys(names))
        return found

    # Other taxonomies from this one

    def with_hierarchy(
        self, coarser: "Mapping[str, Mapping[str, str]]", above_own: bool = False
    ) -> "Taxonomy":
        """The finest level under other coarser ones; independent attributes stay.

        coarser: {level: {class: parent}}, finest first; each names every class of the level
        before it (the finest level's classes first) and gives that class's parent at this level.
        above_own: whether the own coarser levels stay, and the given ones lie above them.
        """
        if not self.levels:
            raise UserError("The data set has no labels that a taxonomy could group.")
        levels = list(self.chain if above_own else self.levels[:1])
        classes = {level: self.classes[level] for level in levels}
        parents = {level: self.parents[level] for level in levels[:-1]}
        independent = [level for level in self.levels if level not in self.chain]
        for level, mapping in coarser.items():
            level = str(level)
            if level in levels or (above_own and level in independent):
                raise UserError(
                    f"The taxonomy gives the level {level!r}, and the data set has one of that "
                    "name; call it otherwise."
                )
            below = levels[-1]
            tops = _parents_by_name(level, mapping, below, classes[below])
            levels.append(level)
            classes[level] = tuple(dict.fromkeys(tops))
            place = {top: i for i, top in enumerate(classes[level])}
            parents[below] = (level, tuple(place[top] for top in tops))
        for level in independent:
            if level not in levels:
                levels.append(level)
                classes[level] = self.classes[level]
        return Taxonomy(tuple(levels), classes, parents)

    def with_file(self, source: "str | Path | Mapping[str, Any]") -> "Taxonomy":
        """with_hierarchy from a YAML file or mapping {level: {class: parent}}, which may extend
        these levels, or another file: `extends: built-in`, `extends: other.yaml`."""
        levels = whole_taxonomy(source)
        above_own = levels.get(EXTENDS) == BUILT_IN
        if above_own:
            del levels[EXTENDS]
        try:
            return self.with_hierarchy(levels, above_own)
        except UserError as error:
            if isinstance(source, Mapping):
                raise
            raise UserError(f"{source}: {error}") from error

    def with_same_labels(self, level: str, name: str) -> "Taxonomy":
        """A further level `name` right above `level`, with the same classes (a control: a second
        head that learns nothing new). Each class is the parent of its namesake."""
        names = self.classes[self._known(level)]
        parents = {**self.parents, level: (name, tuple(range(len(names))))}
        if level in self.parents:
            parents[name] = self.parents[level]
        place = self.levels.index(level) + 1
        return Taxonomy(
            (*self.levels[:place], name, *self.levels[place:]),
            {**self.classes, name: names},
            parents,
        )

    def with_independent(self, levels: Mapping[str, Sequence[str]]) -> "Taxonomy":
        """Further levels behind these, without parents: {level: classes}."""
        for level in levels:
            if level in self.levels:
                raise UserError(f"The taxonomy names the level {level!r} twice.")
        classes = {level: tuple(names) for level, names in levels.items()}
        return Taxonomy((*self.levels, *levels), {**self.classes, **classes}, self.parents)

    def with_groups(self, groups: Sequence[int], name: str = "coarse") -> "Taxonomy":
        """The finest level grouped anew: class i belongs to the superclass groups[i]."""
        mapping = {
            cls: f"group{group + 1}"
            for cls, group in zip(self.classes[self.levels[0]], groups, strict=True)
        }
        return self.with_hierarchy({name: mapping})

    def with_random_hierarchy(
        self, superclasses: int, seed: int = 0, name: str = "coarse"
    ) -> "Taxonomy":
        """Superclasses drawn at random, of sizes that differ by at most one."""
        count = self._check_superclasses(superclasses)
        shuffled = np.random.default_rng(seed).permutation(count)
        groups = np.empty(count, dtype=int)
        groups[shuffled] = np.arange(count) % superclasses
        return self.with_groups(groups.tolist(), name)

    def with_clustered_hierarchy(
        self, confusion: np.ndarray, superclasses: int, name: str = "coarse"
    ) -> "Taxonomy":
        """Superclasses of classes that a classifier confuses: average linkage on the distance
        1 - symmetrized confusion rate.

        confusion [K, K]: counts, row = true class of the finest level, column = predicted.
        """
        from scipy.cluster.hierarchy import cut_tree, linkage
        from scipy.spatial.distance import squareform

        count = self._check_superclasses(superclasses)
        confusion = np.asarray(confusion, dtype=float)
        if confusion.shape != (count, count):
            raise UserError(
                f"The confusion matrix should be {count} x {count}; found {confusion.shape}."
            )
        rates = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
        distance = 1 - (rates + rates.T) / 2
        np.fill_diagonal(distance, 0)
        tree = linkage(squareform(distance, checks=False), method="average")
        # Not fcluster, which gives fewer clusters where distances tie.
        groups = cut_tree(tree, superclasses)[:, 0]
        return self.with_groups(groups.tolist(), name)

    # Plain values

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, in this order of levels."""
        return {
            "levels": list(self.levels),
            "classes": {level: list(names) for level, names in self.classes.items()},
            "parents": {
                level: {"level": parent, "index": list(indices)}
                for level, (parent, indices) in self.parents.items()
            },
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Taxonomy":
        """What to_dict gave. UserError for anything else."""
        try:
            lists = [values["levels"], *values["classes"].values()]
            lists += [parent["index"] for parent in values["parents"].values()]
            if not all(isinstance(values, list | tuple) for values in lists):
                raise TypeError("its levels, classes and indices should be lists")
            taxonomy = cls(
                levels=tuple(map(_text, values["levels"])),
                classes={level: tuple(map(_text, n)) for level, n in values["classes"].items()},
                parents={
                    _text(level): (_text(parent["level"]), tuple(map(index, parent["index"])))
                    for level, parent in values["parents"].items()
                },
            )
        except (LookupError, TypeError, AttributeError) as error:
            raise UserError(f"A stored taxonomy is corrupt: {error!r}.") from error
        return taxonomy

    def _known(self, level: str) -> str:
        if level not in self.classes:
            raise UserError(
                f"There is no label level {level!r}: {nearest(level, list(self.levels))}"
            )
        return level

    def _check_superclasses(self, superclasses: int) -> int:
        count = self.num_classes(self.levels[0])
        if not 1 <= superclasses <= count:
            raise UserError(
                f"The number of superclasses should be from 1 to {count}, the number of classes; "
                f"found {superclasses}."
            )
        return count


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} should be a name")
    return value


def _parents_by_name(
    level: str, mapping: Mapping[Any, Any], below: str, known: Sequence[str]
) -> list[str]:
    """The parent at `level` of each of the `known` classes of the level below it."""
    names = {clean_name(str(child)): clean_name(str(parent)) for child, parent in mapping.items()}
    if len(names) < len(mapping):
        raise UserError(f"The taxonomy names a class in {level!r} twice; leave one out.")
    for name in known:
        if name not in names:
            raise UserError(
                f"In the taxonomy, level {level!r} gives no parent to the class {name!r} "
                f"of level {below!r}."
            )
    classes = set(known)
    for name in names:
        if name not in classes:
            raise UserError(
                f"In the taxonomy, level {level!r} names {name!r}, which is no class of "
                f"level {below!r}: {nearest(name, list(known))}"
            )
    return [names[name] for name in known]
