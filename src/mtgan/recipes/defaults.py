"""The recipe with which to begin on a data set: what `mtgan train` takes where none is named."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from mtgan.data import Taxonomy
from mtgan.data.domains.base import Domain
from mtgan.data.levels import never_together
from mtgan.data.numbers import NumberRange
from mtgan.recipes.load import load_recipe

FEW = 5_000
"""With fewer training images the discriminator soon knows them by heart."""
# What a discriminator sees of few images: each of them altered (Zhao et al. 2020).
_ALTERED = ["translation", "cutout"]


def other_recipes(domains: Sequence[Domain]) -> tuple[str, ...]:
    """Recipes of the zoo that may fit the data where the default one is trained already."""
    return ("multidomain-conv1d",) if domains else ("wgan-gp", "dcgan")


def default_recipe(
    taxonomy: Taxonomy,
    shape: tuple[int, int, int],
    domains: Sequence[Domain] = (),
    labels: np.ndarray | None = None,
    count: int | None = None,
    numbers: Mapping[str, NumberRange] = MappingProxyType({}),
) -> tuple[str, dict[str, Any]]:
    """Name of a recipe of the zoo, and the keys to override in it.

    On labeled images the generator is conditioned on, and a head learns, the finest level and the
    one above it; or every level where some do not follow from the finest (attributes). Two levels
    that no sample has both labels of are two image sets, which twins learn.
    shape: (C, H, W) of a sample. labels: int64 [N, L], of which levels with fewer than two classes
    are left out; all levels count when None. count: how many samples to learn from; None: enough.
    numbers: labels that are numbers, which condition the generator where there is no level; those
    of one value are left out. Mirrored or moved, an image may have another one: none is altered.
    """
    if domains:  # each row of the canvas is drawn by one number of the latent
        canvases: dict[str, Any] = {"latent.dim": shape[1] + 64}
        if len(domains) == 1:  # which is told from no other
            canvases["tasks"] = []
        return "multidomain-gp", canvases
    levels = [
        level
        for column, level in enumerate(taxonomy.levels)
        if labels is None or len(np.unique(labels[labels[:, column] >= 0, column])) > 1
    ]
    few = count is not None and count < FEW
    # Letters and digits, which seldom have color, are others when mirrored.
    more: dict[str, Any] = {"data.flip": True} if few and shape[0] == 3 else {}
    varied = [name for name, found in numbers.items() if found.width > 0]
    if not levels and varied:
        return "ccgan", {"condition_on": varied[0] if len(varied) == 1 else varied}
    if not levels:
        return "unlabeled-images", more | ({"discriminator.augmentation": _ALTERED} if few else {})
    two = len(levels) == len(taxonomy.levels) == 2  # the recipe's twins are called by position
    if two and labels is not None and never_together(taxonomy, labels, *levels):
        return "mtl-wgan-sets", more
    nested = set(levels) <= {levels[0], *taxonomy.above(levels[0])}
    judged = levels[:2] if nested else levels
    keys: dict[str, Any] = {"condition_on": judged[0] if len(judged) == 1 else judged}
    # The recipe's heads are called by position, which a level's own name precedes.
    heads = [
        word if word in taxonomy.levels else level
        for word, level in zip(("fine", "coarse"), taxonomy.levels, strict=False)
    ]
    name = "few-images" if few else "labeled-images"
    if len(judged) != 2 or judged != heads:
        own = load_recipe(name).tasks[0].model_dump(exclude_defaults=True)
        if not few:  # there the class is the hard part, and no head gives way to others
            own["weight"] = round(1 / max(len(judged), 2), 3)
        keys["tasks"] = [{**own, "labels": level} for level in judged]
    return name, keys | more
