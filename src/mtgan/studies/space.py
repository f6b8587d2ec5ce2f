"""Settings of a study that are not written out: a grid over choices, or draws from ranges."""

import math
import random
from itertools import product
from typing import Annotated, Any

from pydantic import Field, model_validator

from mtgan.limits import LARGEST_SEED
from mtgan.recipes.ranges import Part

Settings = dict[str, Any]
"""Dotted recipe keys and their values, as after `--set`."""

MOST_SETTINGS = 1_000
_DIGITS = 3  # of what is drawn: it is told and set alike

End = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Axis(Part):
    """What a key is drawn from, one of three; a list is short for `choice`. Ranges are from the
    first to the second number."""

    choice: list[Any] = []
    uniform: tuple[End, End] | None = None
    log_uniform: tuple[End, End] | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"choice": value} if isinstance(value, list) else value

    @model_validator(mode="after")
    def _one_kind(self) -> "Axis":
        if sum(map(bool, (self.choice, self.uniform, self.log_uniform))) != 1:
            raise ValueError("an axis should have one of choice, uniform and log_uniform")
        low, high = self.uniform or self.log_uniform or (1.0, 2.0)
        if low >= high or (self.log_uniform and low <= 0):
            least = "above 0 and " if self.log_uniform else ""
            raise ValueError(f"a range should be {least}rising; found {low:g} to {high:g}")
        return self

    def at(self, share: float) -> Any:
        """The value that a share in [0, 1) of the axis lies below; of a range to three digits."""
        if self.choice:
            return self.choice[int(share * len(self.choice))]
        low, high = self.uniform or self.log_uniform or (0.0, 1.0)
        if self.log_uniform:
            found = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
        else:
            found = low + share * (high - low)
        return self.rounded(found)

    def rounded(self, value: float) -> float:
        """A number of a range as it is told and set."""
        return float(f"{value:.{_DIGITS}g}")


class Space(Part):
    """Settings over some keys: every combination of their choices, or so many drawn at random
    (Bergstra & Bengio 2012).

    A draw follows from its number and the seed alone, so that more draws are those and others.
    """

    axes: Annotated[dict[Annotated[str, Field(min_length=1)], Axis], Field(min_length=1)]
    draws: Annotated[int, Field(ge=1, le=MOST_SETTINGS, strict=True)] | None = None
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED, strict=True)] = 0

    @model_validator(mode="after")
    def _can_be_listed(self) -> "Space":
        if self.draws is not None:
            return self
        if self.seed:
            raise ValueError("a seed is one of draws; say how many draws, or leave it out")
        for key, axis in self.axes.items():
            if not axis.choice:
                raise ValueError(
                    f"{key} has a range, of which values are drawn; say how many draws"
                )
        if (count := math.prod(len(axis.choice) for axis in self.axes.values())) > MOST_SETTINGS:
            raise ValueError(f"{count:,} combinations are too many; say how many draws")
        return self

    def settings(self) -> dict[str, Settings]:
        """All of them by name: "draw 1", or the values by the last words of their keys."""
        if self.draws is not None:
            return {f"draw {i + 1}": self._drawn(i) for i in range(self.draws)}
        keys, found = self._short_keys(), {}
        for values in product(*(axis.choice for axis in self.axes.values())):
            name = ", ".join(f"{key} {value}" for key, value in zip(keys, values, strict=True))
            found[name] = dict(zip(self.axes, values, strict=True))
        return found

    def _drawn(self, number: int) -> Settings:
        # A string's stream is the same on every machine and in every version of Python.
        return {
            key: axis.at(random.Random(f"{self.seed}/{number}/{key}").random())
            for key, axis in self.axes.items()
        }

    def _short_keys(self) -> list[str]:
        short = [key.rpartition(".")[2].replace("_", " ") for key in self.axes]
        return short if len(set(short)) == len(short) else [*self.axes]
