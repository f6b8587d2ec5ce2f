"""Labels that folders say and labels that a table says of the same images, as one set of levels.

The levels of the folders come first, the finest one at the front; a column that refines it stands
before them, one that coarsens the last of them after them, and attributes follow.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mtgan.data.folders.columns import NUMBER
from mtgan.data.folders.labels import TableLabels
from mtgan.data.folders.tree import Place, counted, examples
from mtgan.data.levels import found_parents
from mtgan.data.names import class_map
from mtgan.data.taxonomy import Taxonomy
from mtgan.errors import UserError
from mtgan.text import file_name

# Folders that only divide many files, as images_001 and HAM10000_images_part_2, and are no classes.
_PART = re.compile(
    r"(?:.*[-_ .])?(?:part|shard|chunk|batch|block|volume|vol|archive|images?|imgs?|pictures"
    r"|photos|data|files|folder|dir)[-_ .]*\d+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Labels:
    """Label rows int64 [N, L], -1 where missing, and what they mean."""

    rows: np.ndarray
    taxonomy: Taxonomy


def divide_only(places: Iterable[Place | None]) -> bool:
    """Whether the folders of images are counted parts of a set, and no classes."""
    return all(_PART.fullmatch(part) for place in places for part in place or ())


def join(folders: Labels, said: TableLabels, files: Sequence[Place], notes: list[str]) -> Labels:
    """The labels of folders and of a table, as one.

    Args:
        folders: Of the folders that the files lie in.
        said: Of the table.
        files: The path of each file, for messages.
        notes: Sentences on what was decided are added to it.

    Raises:
        UserError: The table says of a file another class than its folder does.
    """
    rows, own = folders.rows.copy(), _by_full_names(folders.taxonomy, said.taxonomy)
    columns = {level: said.rows[:, i] for i, level in enumerate(said.taxonomy.levels)}
    called = dict(zip(own.levels, own.levels, strict=True))
    for level in list(columns):
        twin = _same_level(level, said, columns[level], own, rows, notes)
        if twin is None:
            continue
        _refuse_conflict(level, said, twin, own, rows, files)
        _complete(rows, own, twin, said, level, files)
        del columns[level]
        if called[twin] != level:
            notes.append(f"The column {level!r} and the folders say the same: one level, {level}.")
            called[twin] = level
    if columns:
        theirs, ours = (", ".join(map(repr, found)) for found in (columns, called.values()))
        notes.append(f"The folders say the labels of {ours}, and the table those of {theirs}.")
    levels = {called[level]: rows[:, i] for i, level in enumerate(own.levels)}
    classes = {called[level]: own.classes[level] for level in own.levels}
    classes |= {level: said.taxonomy.classes[level] for level in columns}
    parents = {called[level]: (called[above], up) for level, (above, up) in own.parents.items()}
    return _in_order(levels, columns, classes, parents, said.taxonomy)


def _by_full_names(own: Taxonomy, said: Taxonomy) -> Taxonomy:
    """The folders' taxonomy, in which a class that no folder can be called by, as "T-shirt/top",
    has the name that the table says in place of what was made of it (mtgan.text.file_name)."""
    full = {file_name(name): name for names in said.classes.values() for name in names}
    classes = {
        level: tuple(full.get(name, name) for name in names) for level, names in own.classes.items()
    }
    return replace(own, classes=classes)


def _in_order(
    own: dict[str, np.ndarray],
    columns: dict[str, np.ndarray],
    classes: dict[str, tuple[str, ...]],
    parents: dict[str, tuple[str, tuple[int, ...]]],
    said: Taxonomy,
) -> Labels:
    """All levels: those that refine the folders' finest one, the folders', those that coarsen
    their last one, and the rest."""

    def above(lower: str, upper: str) -> tuple[int, ...] | None:
        every, sizes = own | columns, (len(classes[lower]), len(classes[upper]))
        return found_parents(every[lower], every[upper], *sizes) if sizes[1] > 1 else None

    chain = list(own)
    for level in reversed(columns):
        # With as many classes as images, an index would refine anything.
        few = 2 * len(classes[level]) <= (columns[level] >= 0).sum()
        if few and (found := above(level, chain[0])):
            parents[level] = (chain[0], found)
            chain.insert(0, level)
    for level in columns:
        if level not in chain and (found := above(chain[-1], level)):
            parents[chain[-1]] = (level, found)
            chain.append(level)
    levels = [*chain, *(level for level in columns if level not in chain)]
    for level, (upper, found) in said.parents.items():
        if {level, upper} <= columns.keys() - set(chain):
            parents[level] = (upper, found)
    every = own | columns
    taxonomy = Taxonomy(tuple(levels), {level: classes[level] for level in levels}, parents)
    return Labels(np.stack([every[level] for level in levels], axis=1), taxonomy)


def _same_level(
    level: str,
    said: TableLabels,
    labels: np.ndarray,
    own: Taxonomy,
    rows: np.ndarray,
    notes: list[str],
) -> str | None:
    """The level of the folders that a column says once more; None where it says something else."""
    if level in own.levels:
        return level
    names = said.taxonomy.classes[level]
    for column, folder in enumerate(own.levels):
        translated = _translation(names, own.classes[folder])
        both = (labels >= 0) & (rows[:, column] >= 0)
        count, same = int(both.sum()), int((translated[labels] == rows[:, column])[both].sum())
        known = translated[:-1] >= 0
        # Numbers may well count something else than those of the folders: they have to agree.
        numbers = all(map(NUMBER.fullmatch, names))
        if 10 * same > 9 * count or (not numbers and known.any() and known.all()):
            return folder
        if not numbers and known.any():
            if 2 * same >= count > 0:
                return folder
            notes.append(
                f"The column {level!r} shares names of classes with the folders, and says the same "
                f"of {same:,} of {count:,} images: it is read as a level of its own."
            )
    return None


def _translation(names: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """As class_map, but large and small letters count alike where no two classes differ in them
    alone."""
    small = [name.casefold() for name in classes]
    if len(set(small)) < len(small):
        return class_map(names, classes)
    return class_map([name.casefold() for name in names], small)


def _refuse_conflict(
    level: str,
    said: TableLabels,
    folder: str,
    own: Taxonomy,
    rows: np.ndarray,
    files: Sequence[Place],
) -> None:
    names, classes = said.taxonomy.classes[level], own.classes[folder]
    labels = said.rows[:, said.taxonomy.levels.index(level)]
    theirs = rows[:, own.levels.index(folder)]
    both = (labels >= 0) & (theirs >= 0)
    odd = np.flatnonzero(both & (_translation(names, classes)[labels] != theirs))
    if not len(odd):
        return
    first = int(odd[0])
    raise UserError(
        f"{said.where(first)}: the column {level!r} says {names[labels[first]]!r} of "
        f"{'/'.join(files[first])}, which lies in the folder of {classes[theirs[first]]!r} "
        f"({counted(len(odd))} of {int(both.sum()):,} so); mend one of the two, or, where the "
        "column means something else than the folders, rename it and its classes."
    )


def _complete(
    rows: np.ndarray,
    own: Taxonomy,
    folder: str,
    said: TableLabels,
    level: str,
    files: Sequence[Place],
) -> None:
    """Give images that lie in no folder of a class the label that the table says."""
    place = own.levels.index(folder)
    labels = said.rows[:, said.taxonomy.levels.index(level)]
    empty = (rows[:, place] < 0) & (labels >= 0)
    found = _translation(said.taxonomy.classes[level], own.classes[folder])[labels]
    if (unknown := np.flatnonzero(empty & (found < 0))).size:
        first = int(unknown[0])
        name = said.taxonomy.classes[level][labels[first]]
        raise UserError(
            f"{said.where(first)}: the column {level!r} says {name!r} of "
            f"{examples([files[first]])}, and no folder is called so; mend one of the two."
        )
    for column in range(place, len(own.levels)):
        upper = own.levels[column]
        if column == place or upper in own.chain:
            lifted = own.ancestors(found, folder, upper)
            rows[empty, column] = lifted[empty]
