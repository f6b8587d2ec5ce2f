"""How real does this look, from 1 to 5?"""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from mtgan.surveys.designs.base import CONSENT, DESIGNS, Catch, Design, Effect

_LIMITS = (-2.0, -0.7, 0.7, 2.0)  # of a simulated rater, between the points
_POINTS = ("1", "2", "3", "4", "5")
_SCALE = "1: not at all, 5: entirely."
_OF_CLASS = f"How much does this look like a real picture of: {{class}}? {_SCALE}"


class Rating(Design):
    """A picture gets 1 to 5 points; noise should get 1 or 2."""

    outcome = "mean rating"
    binary = False
    measurement = "ordinal"
    words: ClassVar = {
        "title": "How real do these pictures look?",
        "consent": CONSENT,
        "instructions": (
            "You see one picture at a time. Give it 1 to 5 points. Use the whole scale, and go by "
            "your first impression. Some pictures are obvious, to see that you look at them, and "
            "some come twice."
        ),
        "question": f"How real does this picture look? {_SCALE}",
    }

    def treatments(self, models: Sequence[str], real: str | None) -> tuple[tuple[str, ...], ...]:
        return tuple((name,) for name in (*models, *([real] if real else [])))

    def answers(self, classes: Sequence[str]) -> tuple[str, ...]:
        return _POINTS

    def count(self, answer: str, arms: Sequence[str], of_class: str, flipped: bool) -> float:
        return float(answer)

    def respond(
        self, strength: float, answers: Sequence[str], of_class: str, flipped: bool, chance: float
    ) -> str:
        felt = strength + math.log(chance / (1 - chance))
        return answers[sum(felt > limit for limit in _LIMITS)]

    def effect(self, detect: float) -> Effect:
        if not 0 < detect <= 4:
            raise ValueError(
                "--detect is a difference of mean ratings above 0, at most 4 (where one answer's "
                "standard deviation is 1)"
            )
        return Effect(detect, 2.0, 2.0)

    def catches(self, classes: Sequence[str], index: int, real: str, noise: str) -> Catch:
        return Catch((noise,), ("1", "2"))

    def wording(self, answers: Sequence[str], by_class: bool) -> dict[str, Any]:
        words = super().wording(answers, by_class)
        return {**words, "question": _OF_CLASS} if by_class else words


DESIGNS.register("rating")(Rating())
