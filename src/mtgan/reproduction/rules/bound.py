"""Arms against a number: a measure, an answer of an analysis, a share of failures."""

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from mtgan.reproduction.rules import (
    CONTRADICTED,
    HOLDS,
    NOT_DECIDED,
    RULES,
    Contrast,
    Finding,
    Part,
    of_contrasts,
    of_parts,
    undecided,
)
from mtgan.reproduction.schema import Asks, Name
from mtgan.studies.statistics import LEAST_FOR_TESTS, MOST_SEEDS, share_interval

if TYPE_CHECKING:
    from mtgan.reproduction.material import Material


class _Bounded(Asks):
    """above or below: the bound, one of them."""

    arms_: Annotated[list[Name], Field(min_length=1, alias="arms")]
    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Any:
        if (self.above is None) == (self.below is None):
            raise ValueError("a bound is above or below, one of them")
        return self

    @property
    def bound(self) -> float:
        found = self.below if self.above is None else self.above
        assert found is not None
        return found

    @property
    def side(self) -> str:
        return "lower" if self.above is None else "higher"

    def arms(self) -> list[str]:
        return self.arms_


class LevelOptions(_Bounded):
    """of_real: the bound is a share of what real images get."""

    measure: Name
    of_real: bool = False

    def measured(self) -> list[str]:
        return [self.measure]


class Level:
    """A measure of each arm above, or below, a bound."""

    options = LevelOptions
    least = LEAST_FOR_TESTS

    def judge(self, options: LevelOptions, material: "Material") -> Finding:
        bound = options.bound
        if options.of_real:
            bound *= material.real(options.measure)
        return of_contrasts(
            [
                _against(
                    f"{options.measure} of {arm}", material.values(arm, options.measure), bound
                )
                for arm in options.arms()
            ],
            options.side,
        )


class AnswerOptions(_Bounded):
    """value: where in the analysis's answer the number is, as a path of keys."""

    analysis: Name
    value: Annotated[list[str], Field(min_length=1)]
    options: dict[str, Any] = {}


class Answer:
    """A number that an analysis finds in every run of each arm, above or below a bound; of what is
    true or false, the share of runs in which it is true."""

    options = AnswerOptions
    least = LEAST_FOR_TESTS

    def judge(self, options: AnswerOptions, material: "Material") -> Finding:
        found = {}
        for arm in options.arms():
            answers = material.answers(arm, options.analysis, options.options)
            values = [value_at(answer, options.value) for answer in answers]
            name = f"{options.analysis}: {' '.join(options.value)} of {arm}"
            found[name] = [value for value in values if value is not None]
        every = [value for values in found.values() for value in values]
        if every and all(isinstance(value, bool) for value in every):
            return of_parts(
                [
                    share_part(name, int(sum(values)), len(values), options)
                    for name, values in found.items()
                ]
            )
        contrasts = [
            _against(name, np.array(values, float), options.bound) for name, values in found.items()
        ]
        return of_contrasts(contrasts, options.side)


class ShareOptions(_Bounded):
    """beyond: a run has failed where its measure lies on this side of `threshold`, where it has
    none, and where it was stopped by values that are not finite; others that did not finish do
    not count."""

    measure: Name
    beyond: str = Field("higher", pattern="^(higher|lower)$")
    threshold: float

    def measured(self) -> list[str]:
        return [self.measure]


class Share:
    """The share of an arm's runs that fail, above or below a bound (Wilson's interval)."""

    options = ShareOptions
    least = LEAST_FOR_TESTS

    def judge(self, options: ShareOptions, material: "Material") -> Finding:
        study, parts = material.study, []
        for arm in options.arms():
            stopped = sum(map(study.diverged, study.runs_of(arm).values()))
            every = len(study.finished_of(arm)) + stopped
            if not every:
                return undecided(f"no run of {arm} has finished")
            values = material.values(arm, options.measure)
            beyond = values > options.threshold
            well = ~beyond if options.beyond == "higher" else values >= options.threshold
            name = f"share of runs of {arm} that failed"
            parts.append(share_part(name, every - int(well.sum()), every, options))
        return of_parts(parts)


def share_part(name: str, count: int, every: int, options: _Bounded) -> Part:
    """Whether the whole of Wilson's interval of a share lies on the claimed side of the bound;
    contradicted where all of it lies on the other."""
    bound, outcome = options.bound, NOT_DECIDED
    if not every:
        return Part(name, outcome, float("nan"), None, None, 0, None)
    low, high = share_interval(count, every)
    if low > bound or high < bound:
        outcome = HOLDS if (low > bound) == (options.side == "higher") else CONTRADICTED
    title = f"{name}: {count} of {every}, against {bound:.0%}"
    interval = (low - bound, high - bound)
    needed = _share_seeds(count, every, bound)
    return Part(title, outcome, count / every - bound, interval, None, every, needed)


def _share_seeds(count: int, every: int, bound: float) -> int | None:
    """Runs from which on the interval of the same share is without the bound."""
    for runs in range(every + 1, MOST_SEEDS + 1):
        low, high = share_interval(round(count / every * runs), runs)
        if low > bound or high < bound:
            return runs
    return None


def _against(name: str, values: np.ndarray, bound: float) -> Contrast:
    return Contrast(f"{name}, against {bound:.3g}", values, np.full(len(values), bound))


def value_at(answer: Any, path: list[str]) -> bool | float | None:
    """What is true or false, or a number, within an answer; None where there is neither."""
    for key in path:
        answer = answer.get(key) if isinstance(answer, dict) else None
    return answer if isinstance(answer, bool | int | float) else None


RULES.register("level")(Level())
RULES.register("answer")(Answer())
RULES.register("share")(Share())
