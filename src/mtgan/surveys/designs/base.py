"""A design: what a trial shows, what can be answered, and what an answer counts."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from mtgan.registry import Registry
from mtgan.surveys.estimates import Difference, Estimate, difference, mean
from mtgan.surveys.table import Answers

SHOWN_REAL = "real"
"""The name of real samples among what is shown."""


@dataclass(frozen=True)
class Effect:
    """A difference that is to be found, and the variances of one answer (of each side, where two
    are compared) without and with it."""

    difference: float
    variance_without: float
    variance_with: float


@dataclass(frozen=True)
class Catch:
    """A trial whose right answers are known: what is shown, from left to right, and these."""

    arms: tuple[str, ...]
    right: tuple[str, ...]


class Design(ABC):
    """A kind of survey.

    Attributes:
        outcome: What is averaged, in words; more of it is better.
        compares: Whether a trial shows two arms, of which one is chosen.
        binary: Whether an outcome is 0 or 1.
        measurement: Of answers, for Krippendorff's alpha.
        asks_class: Whether it cannot be without classes.
        needs_real: Whether it cannot be without real samples.
        words: Default words; the keys of mtgan.surveys.schema.Wording.
    """

    outcome: str
    compares: bool = False
    binary: bool = True
    measurement: Literal["nominal", "ordinal"] = "nominal"
    asks_class: bool = False
    needs_real: bool = False
    words: ClassVar[Mapping[str, Any]]

    @abstractmethod
    def treatments(self, models: Sequence[str], real: str | None) -> tuple[tuple[str, ...], ...]:
        """What trials show, each equally often: one arm, or the two of a pair. One that stands
        twice is shown twice as often. real: the name of real samples, where they are judged."""

    @abstractmethod
    def answers(self, classes: Sequence[str]) -> tuple[str, ...]:
        """What can be answered."""

    @abstractmethod
    def count(self, answer: str, arms: Sequence[str], of_class: str, flipped: bool) -> float:
        """The outcome of an answer to a stimulus; in pairs, 1 where the first of `arms` was
        chosen."""

    @abstractmethod
    def effect(self, detect: float) -> Effect:
        """The difference between two arms (or of the first's share from 1/2, in pairs) that
        `detect` means; ValueError, in words, where it means none."""

    @abstractmethod
    def catches(self, classes: Sequence[str], index: int, real: str, noise: str) -> Catch:
        """The catch trial of an index; `classes` are those at hand, of which it shows
        classes[index % len(classes)]."""

    @abstractmethod
    def respond(
        self, strength: float, answers: Sequence[str], of_class: str, flipped: bool, chance: float
    ) -> str:
        """What a simulated rater answers who finds a stimulus so strong, on the scale of log odds
        (in pairs, the first against the second). chance: uniform in (0, 1)."""

    def measures(self, rows: Answers) -> list[Estimate]:
        """What is estimated of main trials: of each model, and by class where there are any."""
        found = [self._outcome(name, rows) for name in rows.judged]
        classes = [name for name in rows.above if (rows.of_class == name).any()]
        if len(classes) > 1:
            found += [
                self._outcome(name, rows, of_class)
                for name in rows.judged
                for of_class in classes
                if (rows.of_arm(name) & (rows.of_class == of_class)).any()
            ]
        return found

    def _outcome(self, name: str, rows: Answers, of_class: str = "") -> Estimate:
        chosen = rows.of_arm(name)
        if of_class:
            chosen &= rows.of_class == of_class
        own = rows.where(chosen)
        return mean(self.outcome, name, own, own.outcome, self.binary, of_class)

    def learned(self, rows: Answers) -> tuple[str, np.ndarray]:
        """What of main trials may change while people learn, in words, and its values [n]."""
        return self.outcome, rows.outcome

    def question(self, first: str, second: str, rows: Answers) -> Difference:
        """The answer to a question about two models."""
        return difference(first, second, rows)

    def wording(self, answers: Sequence[str], by_class: bool) -> dict[str, Any]:
        """Its default words. by_class: whether it asks for a class."""
        named = self.words.get("answers", {})
        return {**self.words, "answers": {answer: named.get(answer, answer) for answer in answers}}


def share_effect(detect: float, sides: int) -> Effect:
    """A share of `detect` where 1/2 is expected: of one side, or against one of 1/2 of another."""
    if not 0 < detect < 1 or detect == 0.5:
        raise ValueError("--detect is a share between 0 and 1 other than 0.5, as 0.6")
    other = 0.25 * (sides - 1)
    return Effect(abs(detect - 0.5), 0.25 + other, detect * (1 - detect) + other)


def is_likely(strength: float, chance: float) -> bool:
    """Whether it happens that has these log odds."""
    return chance < 1 / (1 + math.exp(-strength))


CONSENT = (
    "You take part in a study of pictures made by computers. Taking part is voluntary, and you can "
    "stop at any time by closing this page. What you answer, and how long each answer takes, is "
    "kept without your name. By going on you agree to that."
)

DESIGNS: "Registry[Design]" = Registry(
    "survey design",
    "mtgan.surveys.designs",
    has=("treatments", "answers", "count", "effect", "catches", "measures", "wording"),
)
