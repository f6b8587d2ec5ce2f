"""Is this picture real? People's error rate, as HYPE has it (Zhou et al. 2019)."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from mtgan.surveys.designs.base import (
    CONSENT,
    DESIGNS,
    SHOWN_REAL,
    Catch,
    Design,
    Effect,
    is_likely,
    share_effect,
)
from mtgan.surveys.estimates import Estimate, combined
from mtgan.surveys.table import Answers

_REAL, _FAKE = "real", "fake"


class RealOrFake(Design):
    """A picture is real or generated, half of them real. What counts is the share of a model's
    pictures that are taken for real; the error rate of Zhou et al. (2019, section 3) is the mean of
    that and of the share of real ones that are taken for fakes. With a time limit it comes near
    their HYPE-time, whose staircase of exposures this is not; without one it is HYPE-infinity."""

    outcome = "taken for real"
    needs_real = True
    words: ClassVar = {
        "title": "Real or made by a computer?",
        "consent": CONSENT,
        "instructions": (
            "You see one picture at a time. Half of them are real, the others were made by a "
            "computer. Say of each which it is. Go by your first impression; some are very hard. "
            "Some pictures are obvious, to see that you look at them."
        ),
        "question": "Is this picture real, or was it made by a computer?",
        "answers": {_REAL: "Real", _FAKE: "Made by a computer"},
    }

    def treatments(self, models: Sequence[str], real: str | None) -> tuple[tuple[str, ...], ...]:
        return (*((model,) for model in models), *(((real or "",),) * len(models)))

    def answers(self, classes: Sequence[str]) -> tuple[str, ...]:
        return _REAL, _FAKE

    def count(self, answer: str, arms: Sequence[str], of_class: str, flipped: bool) -> float:
        return float(answer == _REAL)

    def respond(
        self, strength: float, answers: Sequence[str], of_class: str, flipped: bool, chance: float
    ) -> str:
        return _REAL if is_likely(strength, chance) else _FAKE

    def measures(self, rows: Answers) -> list[Estimate]:
        found = super().measures(rows)
        if SHOWN_REAL not in rows.judged:
            return found
        real = rows.where(rows.of_arm(SHOWN_REAL))
        wrong = [
            combined(
                "error rate", name, [(own, own.outcome), (real, 1 - real.outcome)], binary=True
            )
            for name in rows.judged
            if name != SHOWN_REAL
            for own in [rows.where(rows.of_arm(name))]
        ]
        return [*wrong, *found]

    def learned(self, rows: Answers) -> tuple[str, np.ndarray]:
        real = rows.of_arm(SHOWN_REAL)
        return "error rate", np.where(real, 1 - rows.outcome, rows.outcome)

    def effect(self, detect: float) -> Effect:
        return share_effect(detect, sides=2)

    def catches(self, classes: Sequence[str], index: int, real: str, noise: str) -> Catch:
        return Catch((noise,), (_FAKE,))


DESIGNS.register("real-or-fake")(RealOrFake())
