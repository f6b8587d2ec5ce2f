"""Which recipe suits a set of labels, derived from their structure."""

from collections.abc import Collection
from typing import Any

from mtgan.data.taxonomy import Taxonomy


def suggest(taxonomy: Taxonomy, without: Collection[str] = ()) -> dict[str, Any]:
    """A recipe's name under "recipe", and what to set in it.

    Each level gets a head that learns from real images, and the generator is told every level that
    a head judges: levels that follow from finer ones follow for it, too, and independent attributes
    do not. without: levels that cannot be learned, as those of one class.
    """
    levels = [level for level in taxonomy.levels if level not in without]
    if not levels:
        return {"recipe": "wgan-gp"}
    above = {each for level in levels for each in taxonomy.above(level)}
    told = [level for level in levels if level not in above]
    found: dict[str, Any] = {
        "recipe": "ac-wgan-a-real" if len(levels) == 1 else "ac-wgan-b-real",
        "condition_on": told[0] if len(told) == 1 else told,
    }
    # The zoo's heads are called by position, which a level's own name precedes.
    heads = [
        word if word in taxonomy.levels else taxonomy.levels[i]
        for i, word in enumerate(("fine", "coarse")[: len(levels)])
    ]
    if levels != heads:
        weight = round(1 / len(levels), 3)
        found["tasks"] = [
            {"labels": level, "weight": weight, "generated": False} for level in levels
        ]
    return found
