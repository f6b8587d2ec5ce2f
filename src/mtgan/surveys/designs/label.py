"""Which class is this? How well people find the class that a picture was asked to have."""

from collections.abc import Sequence
from typing import ClassVar

from mtgan.surveys.designs.base import CONSENT, DESIGNS, Catch, Design, Effect, share_effect


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

    def effect(self, detect: float) -> Effect:
        return share_effect(detect, sides=2)

    def catches(self, classes: Sequence[str], index: int, real: str, noise: str) -> Catch:
        return Catch((real,), (classes[index % len(classes)],))


DESIGNS.register("label")(Label())
