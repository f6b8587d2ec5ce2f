"""Arms against a number: a measure, an answer of an analysis, a share of failures."""

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from mtgan.reproduction.rules import (
    ALPHA,
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
from mtgan.studies.failures import FailureShare, failure_comparisons, failure_shares
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
    """arms: as the study's `failure` has them, which says when a run has failed."""

    def arms(self) -> list[str]:
        return []  # they are no cells


class Share:
    """The share of an arm's runs that fail, above or below a bound (Wilson's interval)."""

    options = ShareOptions
    least = 0

    def judge(self, options: ShareOptions, material: "Material") -> Finding:
        parts = []
        for arm in options.arms_:
            found = share_of(arm, material)
            if found is None:
                return undecided(f"nothing is known of failures of {arm}")
            name = f"share of runs of {arm} that failed"
            parts.append(share_part(name, found.failed, found.runs, options))
        return of_parts(parts)


class FewerOptions(Asks):
    """first: the arm claimed to fail less often than the second; as of the study's `failure`."""

    first: Name
    second: Name


class Fewer:
    """Which of two arms fails less often, by the exact test of the study's own table."""

    options = FewerOptions
    least = 0

    def judge(self, options: FewerOptions, material: "Material") -> Finding:
        shares = [share_of(arm, material) for arm in (options.first, options.second)]
        wanted = {options.first, options.second}
        rows = failure_comparisons(material.study)
        row = next((row for row in rows if {row.first, row.second} == wanted), None)
        if row is None or shares[0] is None or shares[1] is None:
            return undecided(f"nothing is known of failures of {' and '.join(sorted(wanted))}")
        off = shares[0].share - shares[1].share
        outcome = NOT_DECIDED
        if row.p < ALPHA:
            outcome = HOLDS if off < 0 else CONTRADICTED
        name = f"share of failures, {options.first} against {options.second} ({row.test} test)"
        runs = min(share.runs for share in shares if share)
        return of_parts([Part(name, outcome, off, None, row.p, runs, None)])


def share_of(arm: str, material: "Material") -> FailureShare | None:
    """How often an arm fails; None where no run of it is known."""
    found = (one for one in failure_shares(material.study) if one.arm == arm and one.runs)
    return next(found, None)


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
RULES.register("fewer-failures")(Fewer())
