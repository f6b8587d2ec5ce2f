"""Samples of a conditional run: a named row for each class that its generator is told."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from mtgan.data.images import make_grid
from mtgan.errors import UserError
from mtgan.nets.heads import as_levels
from mtgan.training import Run
from mtgan.training.dataset_info import DatasetInfo

_COLUMNS = 10
_MOST_ROWS = 20


def class_grids(run: Run, step: int | None = None) -> dict[str, Image.Image]:
    """By label level, a grid whose rows are classes with their names, at most 20, of a checkpoint
    (the newest when None); every row of the same seed. Empty where the generator is told nothing.
    """
    info = run.dataset_info.with_codes(run.recipe.latent.codes)
    return {
        level: _grid(run, level, info.taxonomy.classes[level][:_MOST_ROWS], step)
        for level in _levels(run, info)
    }


def _levels(run: Run, info: DatasetInfo) -> list[str]:
    """The levels that the generator is told."""
    if run.recipe.generator.conditioning == "none":
        return []
    asked = as_levels(run.twin(run.twin_name).twin_name or run.recipe.condition_on)
    return list(dict.fromkeys(info.level(level, "The page") for level in asked))


def _grid(run: Run, level: str, classes: Sequence[str], step: int | None) -> Image.Image:
    rows, names = [], []
    for name in classes:
        try:
            rows.append(run.sample(_COLUMNS, {level: name}, seed=0, step=step))
        except UserError:  # a class that no training sample had
            continue
        names.append(name)
    return make_grid(np.concatenate(rows), columns=_COLUMNS, row_labels=names)
