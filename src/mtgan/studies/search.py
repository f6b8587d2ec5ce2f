"""Which keys of a space go with which measures."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from scipy import stats

from mtgan.studies.collect import StudyResult
from mtgan.studies.measures import title_of

LEAST_SETTINGS = 5
"""With fewer settings no correlation is told."""


@dataclass(frozen=True)
class KeyEffect:
    """Of the settings of one recipe, Spearman's rank correlation between the numbers of a key and
    a measure (its mean over seeds), with the p of its being none."""

    measure: str
    recipe: str
    key: str
    settings: int
    correlation: float
    p: float
    p_holm: float = 1.0


def key_effects(result: StudyResult) -> list[KeyEffect]:
    """Of every measure, recipe and key of numbers of the study's space; not yet corrected."""
    axes = result.study.space.axes if result.study.space else {}
    recipes = dict.fromkeys(cell["recipe"] for cell in result.plan["cells"])
    found = []
    for measure in result.study.measures:
        for recipe in recipes:
            for key in axes:
                points = _points(result, measure.name, recipe, key)
                if len(points) >= LEAST_SETTINGS and all(np.ptp(points, axis=0)):
                    rank = stats.spearmanr(*points.T)
                    effect = (len(points), float(rank.statistic), float(rank.pvalue))
                    found.append(KeyEffect(measure.name, recipe, key, *effect))
    return found


def _points(result: StudyResult, measure: str, recipe: str, key: str) -> np.ndarray:
    """Numbers of a key and means of a measure, [settings, 2]; none where the key has others."""
    points = []
    for cell in result.plan["cells"]:
        value = cell["settings"].get(key)
        values = result.values(cell["label"], measure)
        if cell["recipe"] != recipe or not values:
            continue
        if not isinstance(value, int | float) or isinstance(value, bool):
            return np.empty((0, 2))
        points.append((float(value), float(np.mean([*values.values()]))))
    return np.array(points).reshape(-1, 2)


def effect_sentences(effects: Sequence[KeyEffect], alpha: float) -> list[str]:
    """A sentence for each measure and recipe: the keys that go with it, and how many do not."""
    found = []
    for (measure, recipe), group in groupby(effects, lambda one: (one.measure, one.recipe)):
        rows = list(group)
        shown = [
            f"{one.key} (rank correlation {one.correlation:+.2f}, p = {one.p_holm:.2g})"
            for one in rows
            if one.p_holm < alpha
        ]
        what = f"over {rows[0].settings} settings of {recipe}, {title_of(measure)} goes with"
        found.append(
            f"{what} {', '.join(shown) or f'none of {len(rows)} keys as far as is shown'}."
        )
    return found
