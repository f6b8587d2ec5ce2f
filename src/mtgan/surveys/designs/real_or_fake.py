"""Is this picture real? People's error rate, as HYPE has it (Zhou et al. 2019)."""

from collections.abc import Sequence
from typing import ClassVar

from mtgan.surveys.designs.base import CONSENT, DESIGNS, Catch, Design, Effect, share_effect

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

    def effect(self, detect: float) -> Effect:
        return share_effect(detect, sides=2)

    def catches(self, classes: Sequence[str], index: int, real: str, noise: str) -> Catch:
        return Catch((noise,), (_FAKE,))


DESIGNS.register("real-or-fake")(RealOrFake())
