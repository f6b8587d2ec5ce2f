"""Anything that holds images becomes a Dataset; labels are brought into the reference's classes."""

from pathlib import Path

import numpy as np

from mtgan.data import Dataset, Taxonomy, load_dataset
from mtgan.errors import UserError
from mtgan.evaluation.checks import check_class_range, check_labels

Images = Dataset | np.ndarray | str | Path
"""A Dataset, uint8 [N, C, H, W], a folder of images, an .npz with `images` (and `labels`)."""


Labeled = tuple[Images, np.ndarray | None]
"""Images and the labels that they were asked to have, as Run.sample_with_labels gives them."""


def apart(samples: Images | Labeled, labels: np.ndarray | None) -> Labeled:
    """Samples and their labels, which may come as a pair; UserError where both bring labels."""
    if not isinstance(samples, tuple):
        return samples, labels
    if len(samples) != 2:
        raise UserError(
            f"samples should be images, or a pair of images and labels; found {len(samples)} parts"
        )
    if labels is not None:
        raise UserError("labels are given twice: with the samples, and beside them; give them once")
    return samples


def as_dataset(source: Images, name: str, split: str = "all") -> Dataset:
    """The images of any source.

    Args:
        source: A Dataset; uint8 [N, C, H, W]; or a path or name that `load_dataset` reads.
        name: What an array is called in messages.
        split: The split that is read from a path or name.

    Raises:
        UserError: What cannot be read; an array that is no image set.
    """
    if isinstance(source, Dataset):
        return source
    if isinstance(source, str | Path):
        return load_dataset(source, split)
    samples = np.asarray(source)
    if samples.ndim != 4 or samples.dtype != np.uint8 or not samples.size:
        raise UserError(
            f"{name} must be a uint8 array [N, C, H, W], this is {samples.dtype} of shape "
            f"{samples.shape}: scale images to 0..255 and convert them with .astype('uint8')"
        )
    none = np.empty((len(samples), 0), dtype=np.int64)
    return Dataset(samples, none, Taxonomy((), {}, {}), name=name, split="all")


def fitting_labels(
    generated: Dataset, reference: Dataset, labels: np.ndarray | None
) -> np.ndarray | None:
    """The labels that samples were asked to have, in the reference's levels and classes.

    Args:
        generated: The samples; their own labels are used, by class name, when `labels` is None.
        reference: Gives levels and classes.
        labels: int64 [N, L] in the reference's columns, or [N] for its finest level; or None.

    Returns:
        int64 [N, L], -1 where missing; None without any.

    Raises:
        UserError: Labels that do not fit.
    """
    taxonomy = reference.taxonomy
    if labels is None:
        return _by_name(generated, reference)
    labels = np.asarray(labels)
    if labels.ndim == 1 and taxonomy.levels:
        labels = labels[:, None]
    if labels.ndim == 2 and labels.shape[1] == 1 < len(taxonomy.levels):
        check_class_range(labels[:, 0], taxonomy.levels[0], reference)
        labels = taxonomy.label_rows(labels[:, 0])
    check_labels(labels, len(generated.samples), reference)
    return labels.astype(np.int64)


def _by_name(generated: Dataset, reference: Dataset) -> np.ndarray | None:
    """Translate labels of equally named levels class by class; None where no level is shared.

    Classes that are only numbered keep their numbers. Coarser levels that the samples do not have
    follow from the finer ones.
    """
    mine, theirs = generated.taxonomy, reference.taxonomy
    columns = np.full((len(generated), len(theirs.levels)), -1, dtype=np.int64)
    for level in set(theirs.levels) & set(mine.levels):
        labels = generated.labels_of(level)
        names = mine.classes[level]
        if names == tuple(str(index) for index in range(len(names))):
            check_class_range(labels, level, reference)
            columns[:, theirs.levels.index(level)] = labels
            continue
        known = {name: index for index, name in enumerate(theirs.classes[level])}
        strangers = [name for name in names if name not in known]
        if strangers:
            raise UserError(
                f"the samples have classes of level {level!r} that {reference.name} has not "
                f"({', '.join(strangers[:3])}): give both the same class names"
            )
        table = np.array([*(known[name] for name in names), -1])
        columns[:, theirs.levels.index(level)] = table[labels]
    for level, (above, _) in theirs.parents.items():
        column, over = theirs.levels.index(level), theirs.levels.index(above)
        if (columns[:, over] < 0).all():
            columns[:, over] = theirs.lift(columns[:, column], level, above)
    return columns if (columns >= 0).any() else None
