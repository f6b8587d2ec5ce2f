"""The recipe with which to begin on a data set: what `mtgan train` takes where none is named."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mtgan.data import Taxonomy
from mtgan.data.domains.base import Domain


def other_recipes(domains: Sequence[Domain]) -> tuple[str, ...]:
    """Recipes of the zoo that may fit the data where the default one is trained already."""
    return ("multidomain-conv1d",) if domains else ("wgan-gp", "dcgan")


def default_recipe(
    taxonomy: Taxonomy,
    shape: tuple[int, int, int],
    domains: Sequence[Domain] = (),
    labels: np.ndarray | None = None,
) -> tuple[str, dict[str, Any]]:
    """Name of a recipe of the zoo, and the keys to override in it.

    On labeled images the generator is conditioned on, and a head learns, the finest level and the
    one above it; or every level where some do not follow from the finest (attributes).
    shape: (C, H, W) of a sample. labels: int64 [N, L], of which levels with fewer than two classes
    are left out; all levels count when None.
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
    if not levels:
        return "wgan-gp", {}
    nested = set(levels) <= {levels[0], *taxonomy.above(levels[0])}
    judged = levels[:2] if nested else levels
    keys: dict[str, Any] = {"condition_on": judged[0] if len(judged) == 1 else judged}
    # The zoo's heads are called by position, which a level's own name precedes.
    heads = [
        word if word in taxonomy.levels else taxonomy.levels[place]
        for place, word in enumerate(("fine", "coarse")[: len(judged)])
    ]
    if judged != heads:
        part = {"classifier": "discriminator-head", "generated": False}
        weight = round(1 / max(len(judged), 2), 3)
        keys["tasks"] = [{"labels": level, "weight": weight, **part} for level in judged]
    return "ac-projection-gan-a" if len(judged) == 1 else "ac-projection-gan-b", keys
