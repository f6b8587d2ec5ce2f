"""Rules by which claims are judged, of few kinds, fixed in the index before anything is trained.

All of them rest on the tests of studies: compared by `mtgan.studies.statistics.compare`, corrected
by Holm over all that the entry compares. A claim holds where every part of it is shown, and is
contradicted where the opposite of a part is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from mtgan.correction import holm
from mtgan.registry import Registry
from mtgan.reproduction.schema import Asks
from mtgan.studies.statistics import LEAST_FOR_TESTS, MOST_SEEDS, CellDifference, Interval, compare

if TYPE_CHECKING:
    from mtgan.reproduction.material import Material

Outcome = Literal["holds", "contradicted", "not decided", "not judged"]
HOLDS: Outcome = "holds"
CONTRADICTED: Outcome = "contradicted"
NOT_DECIDED: Outcome = "not decided"
NOT_JUDGED: Outcome = "not judged"
ALPHA = 0.05


@dataclass(frozen=True)
class Part:
    """One part of a claim, and what was found of it.

    difference: With its 95 % interval where there are seeds enough. seeds: Of the side with fewer.
    seeds_needed: To find a difference like this one; None where that is not known, or too many.
    """

    name: str
    outcome: Outcome
    difference: float
    interval: Interval | None
    p: float | None
    seeds: int
    seeds_needed: int | None

    def __str__(self) -> str:
        shown = f"{self.name}: {self.difference:+.4g}"
        if self.interval is not None:
            shown += f" [{self.interval[0]:+.4g}, {self.interval[1]:+.4g}]"
        if self.p is not None:
            shown += ", p < 0.0001" if self.p < 1e-4 else f", p {self.p:.2g}"
        return f"{shown}, {self.seeds} seeds"


@dataclass(frozen=True)
class Finding:
    """What a rule says: the outcome, why it is no other where it is not decided, and the parts."""

    outcome: Outcome
    reason: str = ""
    parts: tuple[Part, ...] = ()


class Rule(Protocol):
    """A kind of rule.

    Attributes:
        options: What an entry says of it.
        least: Seeds below which it decides nothing; 0 where it needs no runs.
    """

    @property
    def options(self) -> type[Asks]: ...

    @property
    def least(self) -> int: ...

    def judge(self, options: Any, material: "Material") -> Finding:
        """What the runs say of the claim."""


RULES: "Registry[Rule]" = Registry(
    "rule of a claim", "mtgan.reproduction.rules", has=("options", "judge")
)


@dataclass(frozen=True)
class Contrast:
    """Values [n] that a claim has above, or below, others [m]; paired: run by run."""

    name: str
    first: np.ndarray
    second: np.ndarray
    paired: bool = True


def of_contrasts(contrasts: Sequence[Contrast], direction: str) -> Finding:
    """Whether the first values of all contrasts are `direction` ("higher" or "lower"), after Holm's
    correction over them."""
    if missing := [one.name for one in contrasts if not min(len(one.first), len(one.second))]:
        return undecided(f"no finished run has values for {', '.join(missing)}")
    enough = [min(len(one.first), len(one.second)) >= LEAST_FOR_TESTS for one in contrasts]
    level = ALPHA / max(1, sum(enough))
    compared = [compare(one.first, one.second, one.paired, level) for one in contrasts]
    corrected = iter(
        holm(np.array([c.p for c, tested in zip(compared, enough, strict=True) if tested]))
    )
    parts = [
        _part(one.name, c, float(next(corrected)) if tested else None, direction)
        for one, c, tested in zip(contrasts, compared, enough, strict=True)
    ]
    return of_parts(parts)


def _part(name: str, c: CellDifference, p: float | None, direction: str) -> Part:
    outcome: Outcome = NOT_DECIDED
    if p is not None and p < ALPHA:
        found = "higher" if c.difference > 0 else "lower"
        outcome = HOLDS if found == direction else CONTRADICTED
    return Part(name, outcome, c.difference, c.interval, p, min(c.count), c.seeds_needed)


def of_parts(parts: Sequence[Part]) -> Finding:
    """The outcome of a claim from that of its parts."""
    outcomes = {part.outcome for part in parts}
    if CONTRADICTED in outcomes:
        return Finding(CONTRADICTED, parts=tuple(parts))
    if outcomes == {HOLDS}:
        return Finding(HOLDS, parts=tuple(parts))
    return replace(undecided(_more_seeds(parts)), parts=tuple(parts))


def undecided(reason: str) -> Finding:
    return Finding(NOT_DECIDED, reason)


def _more_seeds(parts: Sequence[Part]) -> str:
    """Too few seeds, in words: of which part, with its interval, and how many are needed."""
    open_parts = [part for part in parts if part.outcome == NOT_DECIDED]
    worst = max(open_parts, key=lambda part: part.seeds_needed or MOST_SEEDS + 1)
    if worst.seeds_needed is None:
        needed = (
            "how many are needed, is not known"
            if worst.interval is None
            else (f"more than {MOST_SEEDS:,} seeds are needed")
        )
    else:
        needed = f"about {max(worst.seeds_needed, worst.seeds + 1)} seeds are needed"
    return f"too few seeds ({worst}; {needed})"


def seeds_for(half_width: float, room: float, seeds: int) -> int | None:
    """Seeds with which an interval of this half width would be as narrow as the room that there is;
    None where that is none, or takes more than MOST_SEEDS."""
    if room <= 0 or not np.isfinite(half_width):
        return None
    needed = int(np.ceil(seeds * (half_width / room) ** 2))
    return max(needed, seeds + 1) if needed <= MOST_SEEDS else None
