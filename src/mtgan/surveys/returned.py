"""What raters gave, and the same as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mtgan.surveys.designs import DESIGNS
from mtgan.surveys.schema import Plan
from mtgan.surveys.table import Answers


@dataclass(frozen=True)
class Given:
    """An answer to a trial, by the trial's id; ms: nan where it is not known."""

    trial: str
    answer: str
    ms: float = float("nan")


@dataclass(frozen=True)
class Returned:
    """What one rater gave in one seat.

    Attributes:
        wording: Hash of the words; "" where it is not known.
        source: The file, or whatever it came by.
    """

    rater: str
    seat: str
    wording: str
    answers: tuple[Given, ...]
    source: str


def table_of(plan: Plan, returned: Sequence[Returned]) -> Answers:
    """All that was answered, each trial of each seat that somebody took as a row: trials that were
    not answered, too, with the answer ""."""
    design = DESIGNS.get(plan.settings.design)
    names = tuple(plan.arms)
    stimuli = {name: index for index, name in enumerate(plan.stimuli)}
    raters = tuple(dict.fromkeys(one.rater for one in returned))
    rows = []
    for one in returned:
        given = {answer.trial: answer for answer in one.answers}
        nothing = Given("", "")
        for number, trial in enumerate(plan.seats[one.seat]):
            shown, told = plan.stimuli[trial.stimulus], given.get(trial.id, nothing)
            pair = [*(names.index(arm) for arm in shown.arms), -1][:2]
            outcome = right = float("nan")
            if told.answer:
                outcome = design.count(told.answer, shown.arms, shown.of_class, trial.flipped)
                if trial.right:
                    right = float(told.answer in trial.right)
            rows.append(
                (
                    *(raters.index(one.rater), stimuli[trial.stimulus], number, trial.kind),
                    *(*pair, trial.flipped, shown.of_class, told.answer),
                    *(outcome, right, told.ms),
                )
            )
    columns = list(zip(*rows, strict=True)) if rows else [()] * 12
    kinds: tuple[Any, ...] = (int, int, int, "<U6", int, int, bool, object, object, float, float)
    arrays = [
        np.array(list(column), dtype=kind)
        for column, kind in zip(columns, (*kinds, float), strict=True)
    ]
    rater, stimulus, place, kind_of, first, second, flipped, *told_of = arrays
    of_class, given_answer, outcomes, rights, ms = told_of
    return Answers(
        raters=raters,
        names=names,
        rater=rater,
        stimulus=stimulus,
        place=place,
        kind=kind_of,
        arms=np.stack([first, second], axis=1),
        flipped=flipped,
        of_class=of_class,
        answer=given_answer,
        outcome=outcomes,
        right=rights,
        ms=ms,
        above=plan.above,
    )
