"""What each task learns from: training, validation and test images with one label each.

N: samples; C, H, W: sample; K: classes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mtgan.classification.schema import ClassifierData, ClassifierRecipe
from mtgan.data import Dataset, Taxonomy, load_dataset
from mtgan.data.dataset import stratified_choice
from mtgan.errors import UserError
from mtgan.registry import Registry
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.seeds import mix_seed


@dataclass(frozen=True)
class TaskSamples:
    """Samples uint8 [N, C, H, W] and labels int64 [N], -1 where missing."""

    samples: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class ClassifierTask:
    """What a task classifies, and its parts; only the main task is tested."""

    name: str  # main or auxiliary
    level: str
    classes: tuple[str, ...]
    training: TaskSamples
    validation: TaskSamples
    test: TaskSamples | None = None


@dataclass(frozen=True)
class Split:
    """A data set's training split in two: what is trained on, and what is validated on."""

    training: Dataset
    validation: Dataset


def split_data(
    data: Dataset, validation: float, images: int | None, fraction: float, seed: int
) -> Split:
    """Hold out a validation part, always the same one, with the shares of the finest classes;
    then draw the training images by seed. A smaller fraction is part of a larger one.

    validation: a count, or a share of the real images: none that was generated is held out.
    """
    generated = np.zeros(len(data), dtype=bool) if data.generated is None else data.generated
    real = np.flatnonzero(~generated)
    if not len(real):
        raise UserError(
            f"All {len(data)} training images of {data.name} were generated, and images for "
            "validation are real: put real ones beside them (docs/data.md, Generated images)."
        )
    share = isinstance(validation, float)
    held = round(validation * len(real)) if share else int(validation)
    if not 1 <= held <= len(real) or held == len(data):
        kind = " real" if generated.any() else ""
        raise UserError(
            f"data.validation={validation} would hold out {held} of the {len(real)}{kind} training "
            f"images of {data.name}; take a share in (0, 1) or a count below {len(real)}."
        )
    mask = np.zeros(len(data), dtype=bool)
    chosen = stratified_choice(data.labels[real, 0], held, np.random.default_rng(0))
    mask[real[chosen]] = True
    rest = np.flatnonzero(~mask)
    count = min(len(rest), images or len(rest))
    drawn = np.random.default_rng(mix_seed(seed, "training images")).permutation(rest)
    drawn = drawn[: max(2, round(fraction * count))]
    return Split(data.select(np.sort(drawn)), data.select(np.flatnonzero(mask)))


def load_data(
    name: str | Path, part: ClassifierData, root: Path | None = None, taxonomy: Path | None = None
) -> Dataset:
    """The training split as a recipe's `data` part asks for it."""
    return load_dataset(name, root=root, size=part.size, channels=part.channels, taxonomy=taxonomy)


def load_auxiliary_data(name: str | Path, like: Dataset, root: Path | None = None) -> Dataset:
    """The training split of another data set, scaled to the image shape of `like`."""
    channels, height, width = like.shape
    return load_dataset(name, root=root, size=(height, width), channels=channels)


# Label levels that a data set does not have, made for the auxiliary task. Each is called with the
# split, the number of superclasses and the seed.
LabelMaker = Callable[[Split, int, int], Taxonomy]
AUXILIARY_LABELS: Registry[LabelMaker] = Registry("auxiliary task", "mtgan.classification.tasks")


@AUXILIARY_LABELS.register("same")
def same(split: Split, superclasses: int, seed: int) -> Taxonomy:
    """The main task's own labels again: a control."""
    taxonomy = split.training.taxonomy
    return taxonomy.with_same_labels(taxonomy.levels[0], "same")


@AUXILIARY_LABELS.register("random")
def random(split: Split, superclasses: int, seed: int) -> Taxonomy:
    """Superclasses drawn at random by the run's seed."""
    drawn = mix_seed(seed, "hierarchy")
    return split.training.taxonomy.with_random_hierarchy(superclasses, drawn, "random")


@AUXILIARY_LABELS.register("clustered")
def clustered(split: Split, superclasses: int, seed: int) -> Taxonomy:
    """Superclasses of classes that a small classifier of the training images confuses on the
    validation images."""
    from mtgan.evaluation.features.classifier import confusion  # imports torch

    table = confusion(split.training, split.validation, seed)
    return split.training.taxonomy.with_clustered_hierarchy(table, superclasses, "clustered")


def make_tasks(
    recipe: ClassifierRecipe,
    data: Dataset,
    test: Dataset,
    auxiliary: Dataset | None = None,
    seed: int = 0,
) -> dict[str, ClassifierTask]:
    """The recipe's tasks by name. `auxiliary`: a data set of the auxiliary task's own, of the
    same image shape; the main task's images under other labels when None.

    Raises UserError for a label level that is not there, or shapes that differ.
    """
    if not data.taxonomy.levels:
        raise UserError(
            f"{data.name} has no labels, and a classifier needs some; see docs/data.md."
        )
    part = recipe.data
    split = split_data(data, part.validation, part.images, part.fraction, seed)
    main = _task("main", data.taxonomy.levels[0], split)
    if test.shape != data.shape:
        raise UserError(
            f"The test images are {_size(test)} and the training images {_size(data)}; set "
            "data.size, so that both are scaled alike."
        )
    tasks = {"main": replace(main, test=_part(test, main.level))}
    if "auxiliary" in recipe.tasks:
        if auxiliary is not None:
            _check_shape(data, auxiliary)
            split = split_data(auxiliary, part.validation, recipe.auxiliary.images, 1.0, seed)
        tasks["auxiliary"] = _auxiliary(recipe, split, seed, own=auxiliary is not None)
    return tasks


def _auxiliary(recipe: ClassifierRecipe, split: Split, seed: int, own: bool) -> ClassifierTask:
    wanted = recipe.auxiliary.labels
    taxonomy = split.training.taxonomy
    if wanted in AUXILIARY_LABELS and wanted not in taxonomy.levels:
        count = recipe.auxiliary.superclasses or _superclasses(taxonomy)
        taxonomy = AUXILIARY_LABELS.get(wanted)(split, count, seed)
        split = Split(
            split.training.with_taxonomy(taxonomy), split.validation.with_taxonomy(taxonomy)
        )
    if len(taxonomy.levels) == 1 and wanted not in taxonomy.levels and not own:
        raise UserError(
            f"{split.training.name} has the label level {taxonomy.levels[0]!r} alone, and the "
            f"auxiliary task needs another; give the data set one with --taxonomy FILE.yaml, take "
            f"--auxiliary {', '.join(AUXILIARY_LABELS.names())}, or --auxiliary-data."
        )
    asked_by = f"The auxiliary task of recipe {recipe.name}"
    level = DatasetInfo.of(split.training).level(wanted, asked_by)
    if level == taxonomy.levels[0] and not own:
        raise UserError(
            f"The auxiliary task would learn the labels {level!r}, which are the main task's; for "
            "that control say --auxiliary same."
        )
    return _task("auxiliary", level, split)


def _superclasses(taxonomy: Taxonomy) -> int:
    """As many as the data's own next level has; else about the square root of the classes."""
    if len(taxonomy.chain) > 1:
        return taxonomy.num_classes(taxonomy.chain[1])
    return max(2, round(math.sqrt(taxonomy.num_classes(taxonomy.levels[0]))))


def _task(name: str, level: str, split: Split) -> ClassifierTask:
    classes = split.training.taxonomy.classes[level]
    return ClassifierTask(
        name, level, classes, _part(split.training, level), _part(split.validation, level)
    )


def _part(data: Dataset, level: str) -> TaskSamples:
    return TaskSamples(data.samples, data.labels_of(level))


def _check_shape(data: Dataset, auxiliary: Dataset) -> None:
    if auxiliary.shape != data.shape:
        channels, height, width = data.shape
        raise UserError(
            f"The auxiliary images of {auxiliary.name} are {_size(auxiliary)}, and those of "
            f"{data.name} {_size(data)}; load them with size=({height}, {width}) and "
            f"channels={channels} (--auxiliary-data does)."
        )


def _size(data: Dataset) -> str:
    channels, height, width = data.shape
    return f"{height} x {width} in {channels} channel{'s' if channels > 1 else ''}"
