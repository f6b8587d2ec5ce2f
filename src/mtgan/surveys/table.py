"""Answers as arrays, a row each; n answers of R raters to S stimuli."""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Answers:
    """Attributes:
    raters: Names; `rater` counts in them.
    names: Of what is judged and shown; `arms` counts in them.
    rater, stimulus, place: int [n]; place is that of the trial in its session, from 0.
    kind: "main", "catch" or "repeat" [n].
    arms: int [n, 2], the second -1 where one thing is shown.
    flipped: bool [n].
    of_class: The class that was asked of the generator [n], "" where there is none.
    answer: What was answered [n]; "" where nothing was.
    outcome: float [n], what that counts (Design.count).
    right: float [n], of catch trials 1 or 0, else nan.
    ms: float [n], nan where it is not known.
    above: For each class, its class at each coarser level.
    """

    raters: tuple[str, ...]
    names: tuple[str, ...]
    rater: np.ndarray
    stimulus: np.ndarray
    place: np.ndarray
    kind: np.ndarray
    arms: np.ndarray
    flipped: np.ndarray
    of_class: np.ndarray
    answer: np.ndarray
    outcome: np.ndarray
    right: np.ndarray
    ms: np.ndarray
    above: dict[str, dict[str, str]]

    def __len__(self) -> int:
        return len(self.rater)

    def where(self, chosen: np.ndarray) -> "Answers":
        """The rows that are chosen; names and raters keep their numbers."""
        changed: dict[str, Any] = {
            field.name: getattr(self, field.name)[chosen]
            for field in fields(self)
            if isinstance(getattr(self, field.name), np.ndarray)
        }
        return replace(self, **changed)

    def of_kind(self, kind: str) -> "Answers":
        return self.where(self.kind == kind)

    def of_rater(self, index: int) -> "Answers":
        return self.where(self.rater == index)

    def of_arm(self, name: str) -> np.ndarray:
        """bool [n]: which rows show a thing of this name first."""
        return self.arms[:, 0] == self.names.index(name)

    def of_pair(self, first: str, second: str) -> np.ndarray:
        """bool [n]: which rows show these two, in either order."""
        pair = {self.names.index(first), self.names.index(second)}
        return np.array([{int(a), int(b)} == pair for a, b in self.arms], dtype=bool)

    @property
    def judged(self) -> tuple[str, ...]:
        """Names that stand in these rows, in their order."""
        found = set(self.arms[self.arms >= 0].tolist())
        return tuple(name for index, name in enumerate(self.names) if index in found)
