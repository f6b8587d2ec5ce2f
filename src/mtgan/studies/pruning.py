"""The median rule (Golovin et al. 2017, 3.2.2): a training that is worse than most ends early."""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

Looks = Mapping[int, float]
"""By iteration a training's Frechet distance then, of the only generator or the main twin."""

LEAST_FINISHED = 5
"""Before so many trainings have come to their end, none is pruned."""
PRUNED = "pruned_at"
"""The one value of a run that was pruned: after how many iterations."""
_DISTANCE = "frechet_distance"


def ceilings(finished: Sequence[Looks], length: int) -> dict[int, float]:
    """By iteration the distance above which the best so far of a training of this length ends it:
    the median over finished ones. None at the first and the last iteration."""
    if len(finished) < LEAST_FINISHED:
        return {}
    steps = sorted({step for looks in finished for step in looks if 0 < step < length})
    return {step: median(looks[step] for looks in finished if step in looks) for step in steps}


def looks_of(lines: Iterable[Mapping[str, Any]]) -> dict[int, float]:
    """The distances that lines of metrics.jsonl tell."""
    return {
        line["step"]: line["values"][_DISTANCE]
        for line in lines
        if line["kind"] == "evaluation" and _DISTANCE in line["values"]
    }


class Pruner:
    """A callback of a training that ends it at the first ceiling that its best distance so far is
    above.

    given: by iteration; seen: what a training that is gone on with has told before. pruned: whether
    it has ended one.
    """

    def __init__(self, given: Looks, seen: Looks) -> None:
        self._ceilings = given
        self._best = min(seen.values(), default=math.inf)
        self.pruned = False

    def __call__(self, step: int, values: Mapping[str, float]) -> bool:
        if _DISTANCE in values:
            self._best = min(self._best, values[_DISTANCE])
            self.pruned = self._best > self._ceilings.get(step, math.inf)
        return self.pruned
