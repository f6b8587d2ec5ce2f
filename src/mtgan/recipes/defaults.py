"""The recipe with which to begin on a data set: what `mtgan train` takes where none is named."""

from collections.abc import Sequence
from typing import Any

from mtgan.data import Taxonomy
from mtgan.data.canvas import Domain


def default_recipe(
    taxonomy: Taxonomy, shape: tuple[int, int, int], domains: Sequence[Domain] = ()
) -> tuple[str, dict[str, Any]]:
    """Name of a recipe of the zoo, and the keys to override in it.

    On labeled images the generator is conditioned on, and a head learns, the finest level and the
    one above it; or every level where some do not follow from the finest (attributes).
    shape: (C, H, W) of a sample.
    """
    if domains:  # canvases, each row drawn by one number of the latent
        return "multidomain-gp", {"latent.dim": shape[1] + 64}
    levels = taxonomy.levels
    if not levels:
        return "wgan-gp", {}
    if len(levels) == 1:
        return "ac-projection-gan-a", {"condition_on": levels[0]}
    if set(levels) == _above(taxonomy, levels[0]):
        return "ac-projection-gan-b", {"condition_on": list(levels[:2])}
    tasks = [
        {"labels": level, "classifier": "discriminator-head", "weight": 0.5, "generated": False}
        for level in levels
    ]
    return "ac-projection-gan-b", {"condition_on": list(levels), "tasks": tasks}


def _above(taxonomy: Taxonomy, level: str) -> set[str]:
    """The level, and all that follow from it."""
    found = {level}
    while level in taxonomy.parents:
        level = taxonomy.parents[level][0]
        found.add(level)
    return found
