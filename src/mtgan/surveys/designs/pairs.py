"""Which of two? A forced choice between pictures of two models, for Bradley-Terry strengths."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, ClassVar

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
from mtgan.surveys.estimates import Difference, Estimate, mean, share_of_pair
from mtgan.surveys.table import Answers

_LEFT, _RIGHT = "left", "right"
_QUESTION = "Which picture looks more real?"
_OF_CLASS = "Which picture looks more like a real picture of: {class}?"


class Pairs(Design):
    """Two pictures of unlike models, of the same class where a class is asked for; one is
    chosen."""

    outcome = "chosen"
    compares = True
    words: ClassVar = {
        "title": "Which picture looks more real?",
        "consent": CONSENT,
        "instructions": (
            "You see two pictures at a time. Choose the one that answers the question better. "
            "Choose one even where both look alike; go by your first impression. Some pairs are "
            "obvious, to see that you look at them, and some come twice."
        ),
        "question": _QUESTION,
        "answers": {_LEFT: "Left", _RIGHT: "Right"},
    }

    def treatments(self, models: Sequence[str], real: str | None) -> tuple[tuple[str, ...], ...]:
        return tuple(combinations([*models, *([real] if real else [])], 2))

    def answers(self, classes: Sequence[str]) -> tuple[str, ...]:
        return _LEFT, _RIGHT

    def count(self, answer: str, arms: Sequence[str], of_class: str, flipped: bool) -> float:
        return float((answer == _LEFT) != flipped)

    def respond(
        self, strength: float, answers: Sequence[str], of_class: str, flipped: bool, chance: float
    ) -> str:
        return _LEFT if is_likely(strength, chance) != flipped else _RIGHT

    def measures(self, rows: Answers) -> list[Estimate]:
        """In how many of its own trials each was chosen, against whomever."""
        found = []
        for name in rows.judged:
            own = rows.where((rows.arms == rows.names.index(name)).any(axis=1))
            values = np.where(own.of_arm(name), own.outcome, 1 - own.outcome)
            found.append(mean(self.outcome, name, own, values, binary=True))
        return found

    def learned(self, rows: Answers) -> tuple[str, np.ndarray]:
        """Whether the model was chosen that most choose in this pair."""
        pair = np.unique(rows.arms, axis=0, return_inverse=True)[1].ravel()
        most = np.bincount(pair, weights=rows.outcome) >= np.bincount(pair) / 2
        return "agrees with most", (rows.outcome == most[pair]).astype(float)

    def question(self, first: str, second: str, rows: Answers) -> Difference:
        return share_of_pair(first, second, rows)

    def effect(self, detect: float) -> Effect:
        return share_effect(detect, sides=1)

    def catches(self, classes: Sequence[str], index: int, real: str, noise: str) -> Catch:
        return Catch((real, noise), (_LEFT,)) if index % 2 else Catch((noise, real), (_RIGHT,))

    def wording(self, answers: Sequence[str], by_class: bool) -> dict[str, Any]:
        words = super().wording(answers, by_class)
        return {**words, "question": _OF_CLASS} if by_class else words


DESIGNS.register("pairs")(Pairs())
