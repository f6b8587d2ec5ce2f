"""Which class is this? How well people find the class that a picture was asked to have."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from mtgan.surveys.designs.base import (
    CONSENT,
    DESIGNS,
    Catch,
    Design,
    Effect,
    is_likely,
    share_effect,
)
from mtgan.surveys.estimates import Estimate, mean
from mtgan.surveys.table import Answers


class Label(Design):
    """One of the classes of a level is chosen; real samples, whose class is known, are the catch
    trials, since noise has no class."""

    outcome = "class found"
    asks_class = True
    words: ClassVar = {
        "title": "What is this?",
        "consent": CONSENT,
        "instructions": (
            "You see one picture at a time, and a list of names. Choose the name that fits best, "
            "even where none fits well. Some pictures are obvious, to see that you look at them, "
            "and some come twice."
        ),
        "question": "What does this picture show?",
    }

    def treatments(self, models: Sequence[str], real: str | None) -> tuple[tuple[str, ...], ...]:
        return tuple((name,) for name in (*models, *([real] if real else [])))

    def answers(self, classes: Sequence[str]) -> tuple[str, ...]:
        return tuple(classes)

    def count(self, answer: str, arms: Sequence[str], of_class: str, flipped: bool) -> float:
        return float(answer == of_class)

    def respond(
        self, strength: float, answers: Sequence[str], of_class: str, flipped: bool, chance: float
    ) -> str:
        if is_likely(strength, chance):
            return of_class
        others = [answer for answer in answers if answer != of_class]
        return others[int(chance * 1e6) % len(others)]

    def measures(self, rows: Answers) -> list[Estimate]:
        """Also at every coarser level, where an answer counts by its class there."""
        found = super().measures(rows)
        levels = dict.fromkeys(level for above in rows.above.values() for level in above)
        for level in levels:
            for name in rows.judged:
                own = rows.where(rows.of_arm(name))
                coarse = {of_class: above.get(level) for of_class, above in rows.above.items()}
                pairs = zip(own.answer, own.of_class, strict=True)
                right = np.array([coarse[answer] == coarse[asked] for answer, asked in pairs])
                what = f"{self.outcome} at level {level}"
                found.append(mean(what, name, own, right.astype(float), binary=True))
        return found

    def effect(self, detect: float) -> Effect:
        return share_effect(detect, sides=2)

    def catches(self, classes: Sequence[str], index: int, real: str, noise: str) -> Catch:
        return Catch((real,), (classes[index % len(classes)],))


DESIGNS.register("label")(Label())
