"""Anything that holds images becomes a Dataset; labels are brought into the reference's classes."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from mtgan.data import Dataset, Taxonomy, load_dataset
from mtgan.data.images import as_samples, resize_samples
from mtgan.data.load import parse_size
from mtgan.data.names import class_map
from mtgan.data.samples import Samples
from mtgan.errors import UserError
from mtgan.registry import nearest

Images = Dataset | np.ndarray | str | Path
"""A Dataset, uint8 [N, C, H, W], [N, H, W, C] or [N, H, W], a folder of images, an .npz with
`images` (and `labels`)."""


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


Size = int | str | tuple[int, int]
"""One side, (H, W) or "HxW", as in load_dataset."""


def as_dataset(source: Images, name: str, split: str = "all", size: Size | None = None) -> Dataset:
    """The images of any source.

    Args:
        source: A Dataset; uint8 [N, C, H, W], [N, H, W, C] or [N, H, W]; or a path or name that
            `load_dataset` reads.
        name: What an array is called in messages.
        split: The split that is read from a path or name.
        size: To which images are scaled: they cover it, and are cropped (Lanczos filter).

    Raises:
        UserError: What cannot be read; an array that is no image set; a Dataset of another size.
    """
    if isinstance(source, str | Path):
        return load_dataset(source, split, size=size)
    shape = parse_size(size)
    if isinstance(source, Samples):
        source = source.dataset(name)
    if isinstance(source, Dataset):
        if shape not in (None, source.samples.shape[2:]):
            raise UserError(
                f"the {name} are a Dataset of another size; load it with size={size!r}, its other "
                "splits have that size then too"
            )
        return source
    samples = as_samples(np.asarray(source), name)
    if shape is not None:
        samples = resize_samples(samples, shape, samples.shape[1])
    if not samples.size:
        raise UserError(f"{name}: an array of the shape {list(samples.shape)} holds no images.")
    none = np.empty((len(samples), 0), dtype=np.int64)
    return Dataset(samples, none, Taxonomy((), {}, {}), name=name, split="all")


def fitting_labels(
    generated: Dataset,
    reference: Dataset,
    labels: np.ndarray | None,
    notes: list[str] | None = None,
    what: str = "the samples",
) -> np.ndarray | None:
    """The labels that samples were asked to have, in the reference's levels and classes.

    Args:
        generated: The samples; their own labels are used when `labels` is None: levels by name,
            else by their place in the taxonomy; classes by name, or by number where they have no
            names and share none with the reference's.
        reference: Gives levels and classes.
        labels: int64 [N, L] in the reference's columns, or [N] for its finest level; or None.
        notes: Sentences about what was not matched by name are added to it.
        what: What `generated` is called in sentences.

    Returns:
        int64 [N, L], -1 where missing; None without any.

    Raises:
        UserError: Labels that do not fit.
    """
    taxonomy = reference.taxonomy
    if labels is None:
        return _own_labels(generated, reference, [] if notes is None else notes, what)
    labels = np.asarray(labels)
    if labels.ndim == 1 and taxonomy.levels:
        labels = labels[:, None]
    if labels.ndim == 2 and labels.shape[1] == 1 < len(taxonomy.levels):
        check_class_range(labels[:, 0], taxonomy.levels[0], reference)
        labels = taxonomy.label_rows(labels[:, 0])
    check_labels(labels, len(generated.samples), reference)
    return labels.astype(np.int64)


def fitting_numbers(
    generated: Dataset, reference: Dataset, notes: list[str], what: str = "the samples"
) -> dict[str, np.ndarray]:
    """The numbers that samples were asked to have, float32 [N] by name, as far as the reference has
    numbers of these names; notes: a sentence about the others is added."""
    odd = [name for name in generated.numbers if name not in reference.numbers]
    if odd:
        names = ", ".join(map(repr, odd))
        notes.append(f"the numbers {names} of {what} are not used: {reference.name} has none so")
    return {name: v for name, v in generated.numbers.items() if name in reference.numbers}


def in_classes_of(
    reference: Dataset, data: Dataset, notes: list[str], what: str = "the held-out data"
) -> Dataset:
    """The same samples under the reference's taxonomy; see fitting_labels."""
    if data.taxonomy == reference.taxonomy:
        return data
    labels = fitting_labels(data, reference, None, notes, what)
    if labels is None:
        labels = np.full((len(data), len(reference.taxonomy.levels)), -1, dtype=np.int64)
    return replace(data, labels=labels, taxonomy=reference.taxonomy, stored_fingerprint=None)


def _own_labels(
    generated: Dataset, reference: Dataset, notes: list[str], what: str
) -> np.ndarray | None:
    """The samples' own labels in the reference's terms; coarser levels that they do not have
    follow from the finer ones. None without any."""
    mine, theirs = generated.taxonomy, reference.taxonomy
    if not theirs.levels or not mine.levels:
        return None
    columns = np.full((len(generated), len(theirs.levels)), -1, dtype=np.int64)
    alone = [level for level in mine.levels if level not in theirs.levels]
    for level in mine.levels:
        if level in theirs.levels:
            place = theirs.levels.index(level)
            columns[:, place] = _own_column(generated, level, reference, level, notes, what)
    for level in alone:
        place = mine.levels.index(level)
        other = theirs.levels[place] if place < len(theirs.levels) else None
        try:
            if other is None or other in mine.levels:
                raise UserError(
                    f"{what} have the label level {level!r}, and {reference.name} has "
                    f"{', '.join(map(repr, theirs.levels))}: call one as the other"
                )
            columns[:, place] = _own_column(generated, level, reference, other, notes, what)
            notes.append(
                f"{what} have the label level {level!r}, which is taken for {other!r}, in the same "
                f"place in {reference.name}"
            )
        except UserError:
            if len(alone) == len(mine.levels):
                raise
            notes.append(f"the label level {level!r} of {what} is not used: it fits none there")
    for level, (above, _) in theirs.parents.items():
        column, over = theirs.levels.index(level), theirs.levels.index(above)
        if (columns[:, over] < 0).all():
            columns[:, over] = theirs.ancestors(columns[:, column], level, above)
    return columns if (columns >= 0).any() else None


def _own_column(
    generated: Dataset, level: str, reference: Dataset, other: str, notes: list[str], what: str
) -> np.ndarray:
    """int64 [N]: the samples' labels of a level as classes of a level of the reference."""
    labels = generated.labels_of(level)
    names, known = generated.taxonomy.classes[level], reference.taxonomy.classes[other]
    table = class_map(names, known)
    strangers = [names[i] for i in np.unique(labels[labels >= 0]) if table[i] < 0]
    if not strangers:
        return table[labels]
    if (table < 0).all() and names == tuple(str(index) for index in range(len(names))):
        check_class_range(labels, other, reference)
        notes.append(
            f"the classes of {level!r} of {what} are numbers without names: 0 is taken for "
            f"{known[0]!r}, and so on in the order of {reference.name}"
        )
        return labels
    levels = repr(other) if level == other else f"{level!r} (there {other!r})"
    raise UserError(
        f"{what} have classes of level {levels} that {reference.name} has not "
        f"({', '.join(strangers[:3])}): give both the same class names; for {strangers[0]!r}, "
        f"{nearest(strangers[0], list(known))}"
    )


def check_alike(samples: np.ndarray, reference: np.ndarray) -> None:
    """Refuse samples that are not uint8 images of the reference's shape.

    Args:
        samples: What should be uint8 [N, C, H, W].
        reference: uint8 [M, C, H, W].
    """
    if samples.ndim != 4 or samples.dtype != np.uint8:
        raise UserError(
            f"samples are uint8 arrays [N, C, H, W], these are {samples.dtype} of shape "
            f"{samples.shape}: scale them to 0..255 and convert with .astype('uint8')"
        )
    if samples.shape[1:] != reference.shape[1:]:
        mine, theirs = (" x ".join(map(str, s.shape[1:])) for s in (samples, reference))
        alike = samples.shape[1] == reference.shape[1]
        raise UserError(
            f"the samples are {mine} (channels x height x width) and the reference is {theirs}: "
            + (
                "give both one size by --size HxW"
                if alike
                else "make both grey or both color, or give another --data"
            )
        )


def check_labels(labels: np.ndarray, count: int, reference: Dataset) -> None:
    """Refuse labels that do not fit the samples or the reference's taxonomy.

    Args:
        labels: What should be integers [N, L], -1 where missing.
        count: N.
        reference: Gives the L levels and their classes.
    """
    levels = reference.taxonomy.levels
    if labels.shape != (count, len(levels)) or not np.issubdtype(labels.dtype, np.integer):
        raise UserError(
            f"labels of {count} samples are integers of shape ({count}, {len(levels)}), one column "
            f"for each of {', '.join(levels) or 'no levels'}; these are {labels.dtype} of shape "
            f"{labels.shape}"
        )
    for column, level in enumerate(levels):
        check_class_range(labels[:, column], level, reference)


def check_class_range(labels: np.ndarray, level: str, reference: Dataset) -> None:
    """Refuse class numbers of a level that the reference has not; labels are integers [N]."""
    classes = reference.taxonomy.num_classes(level)
    low, high = (int(labels.min()), int(labels.max())) if len(labels) else (0, 0)
    if low < -1 or high >= classes:
        raise UserError(
            f"labels of level {level!r} run from {low} to {high}, but {reference.name} has "
            f"classes 0 to {classes - 1} there (-1 means missing): map them to its classes"
        )
