"""What a study measures of its runs, by what, and where in a training."""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from mtgan.limits import LARGEST_COUNT, LARGEST_SEED, LARGEST_STEP
from mtgan.recipes.ranges import Part

# What follows them in a name is the level, or a size.
_KNOWN = {
    "accuracy",
    "head accuracy",
    "conditional accuracy",
    "train on generated",
    "ngram distance",
}

# Strict: neither true nor "3" is a number.
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED, strict=True)]
Count = Annotated[int, Field(ge=1, le=LARGEST_COUNT, strict=True)]
Steps = Annotated[int, Field(ge=1, le=LARGEST_STEP, strict=True)]
Seconds = Annotated[float, Field(gt=0, le=LARGEST_STEP, strict=True)]
Threshold = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Half = Literal["tuning", "reporting"]
Name = Annotated[str, Field(min_length=1)]

Direction = Literal["lower", "higher", ""]
_DIRECTIONS: dict[str, Direction] = {
    "frechet_distance": "lower",
    "kernel_distance": "lower",
    "inception_score": "higher",
    "accuracy": "higher",
    "head_accuracy": "higher",
    "overall": "higher",
}
_LATER = ("half", "beside")  # keys of instruments that came later


COSTS = frozenset({"iterations", "cpu_seconds", "scaled_seconds"})
"""What a run took until a mark, which settles no question."""


class Measure(Part):
    """A value of every run that the study compares. A plain name is enough.

    compared: whether cells are tested against each other by it; what a run took is not, unless
    asked for, since every comparison makes the others weaker.
    """

    name: Name
    better: Direction = ""
    compared: bool = True

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        given = {"name": value} if isinstance(value, str) else value
        if not isinstance(given, Mapping) or "name" not in given:
            return given
        parts = str(given["name"]).split("/")  # of a twin or an instrument, in front
        better = next((_DIRECTIONS[part] for part in parts if part in _DIRECTIONS), "")
        return {"better": better, "compared": parts[-1] not in COSTS, **given}

    @property
    def title(self) -> str:
        return title_of(self.name)


Over = Literal["iterations", "epochs", "seconds"]


class Curve(Part):
    """A logged value that is drawn over training. A plain name is enough."""

    name: Name
    over: Over | None = None  # as the study's curves_over when absent
    # Points of the moving average that is drawn; the values then lie faint behind it.
    smooth: Annotated[int, Field(ge=1, le=100_000, strict=True)] = 1

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def label(self) -> str:
        return self.name if self.over is None else f"{self.name} over {self.over}"

    @property
    def title(self) -> str:
        return title_of(self.name)


def title_of(value: str) -> str:
    """The name of a value as prose: "Frechet distance", "accuracy (fine)", "smiles: validity"."""
    parts = value.replace("_", " ").replace("frechet", "Frechet").split("/")
    known = next((i for i, part in enumerate(parts) if part in _KNOWN), len(parts))
    where, level = ": ".join(parts[: known + 1]), "/".join(parts[known + 1 :])
    return f"{where} ({level})" if level else where


class Instrument(Part):
    """Against what, and by what, samples are measured: always the whole of a data set, so that runs
    on other subsets or label hierarchies are measured by one and the same instrument."""

    samples: Count = 10_000
    split: Literal["train", "test"] = "train"
    # Of the test split: one half to choose settings by, the other to report them by.
    half: Half | None = None
    features: str = "auto"
    metrics: str | None = None  # measures of a full scorecard, as `mtgan evaluate --metrics`
    seed: Seed = 0

    @model_validator(mode="after")
    def _half_of_test(self) -> "Instrument":
        if self.half and self.split != "test":
            raise ValueError(f"half: {self.half} is one of the held-out images; add split: test")
        return self

    @model_serializer(mode="wrap")
    def _as_before(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what nobody has asked for: runs that were measured earlier stay so."""
        values: dict[str, Any] = plain(self)
        return {key: value for key, value in values.items() if key not in _LATER or value}


class EvaluationPart(Instrument):
    """How a finished run is measured, and by which instruments beside: what NAME measures is called
    NAME/MEASURE."""

    beside: dict[Name, Instrument] = {}


class Marks(Part):
    """How far into a training it is measured: after iterations, or after CPU seconds of the whole
    process without its measurements, on the machine of our tables (mtgan.studies.yardstick)."""

    seconds: list[Seconds] = []
    iterations: list[Steps] = []

    @model_validator(mode="after")
    def _rising(self) -> "Marks":
        if bool(self.seconds) == bool(self.iterations):
            raise ValueError("marks should be of seconds or of iterations, one of them")
        if any(later <= earlier for earlier, later in pairwise(self.at)):
            raise ValueError(f"marks should rise; found {', '.join(f'{at:g}' for at in self.at)}")
        return self

    @property
    def unit(self) -> Literal["seconds", "iterations"]:
        return "seconds" if self.seconds else "iterations"

    @property
    def at(self) -> list[float]:
        return [float(at) for at in self.seconds or self.iterations]

    def label(self, mark: float) -> str:
        """As cells are called by it."""
        return f"{mark:,g} {'s' if self.seconds else 'iterations'}"


class Limit(Part):
    """Values beyond which a run counts as failed."""

    above: Threshold | None = None
    below: Threshold | None = None

    @model_validator(mode="after")
    def _one_at_least(self) -> "Limit":
        if self.above is None and self.below is None:
            raise ValueError("a limit should say above or below which value")
        return self

    def passed(self, value: float) -> bool:
        """Whether a value is beyond the limit, or not finite."""
        high = self.above is not None and value > self.above
        low = self.below is not None and value < self.below
        return high or low or not math.isfinite(value)


class FailurePart(Part):
    """Which runs count as failed: those that diverged, and those whose measures are beyond a limit
    or not finite. Cells of one value of an arm are one arm, whose share of them is compared."""

    beyond: dict[Name, Limit] = {}
    arms: Annotated[list[Name], Field(min_length=1)] = ["recipe"]  # variant, data, or a recipe key
