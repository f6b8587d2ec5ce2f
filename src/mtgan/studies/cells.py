"""A cell of a study: one setting, whose runs differ by seed alone and are named after it."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mtgan.studies.found import stamp
from mtgan.studies.jobs import result_name
from mtgan.studies.kinds import KINDS, Kind
from mtgan.studies.measures import Marks
from mtgan.studies.space import Settings

_LONGEST_NAME = 80


@dataclass(frozen=True)
class Origin:
    """What the runs of a cell begin from: a run of this recipe on these data, of the same seed."""

    recipe: Any
    data: dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """One combination of recipe, variant, setting of a space and data set; its runs differ by seed
    alone.

    label: the parts that vary within the study ("l = 2"). setting: its name in the space.
    settings: what is set over the recipe. data: what its kind loads the data by. mark: where it is
    measured, None after the last iteration; trained_to: all the marks of its training.
    """

    label: str
    recipe_label: str
    variant: str
    data_label: str
    settings: Settings
    kind_name: str
    recipe: Any
    data: dict[str, Any]
    setting: str = ""
    mark: float | None = None
    trained_to: Marks | None = None
    start: Origin | None = None

    @property
    def kind(self) -> Kind:
        return KINDS.get(self.kind_name)

    def seeds(self, wanted: Sequence[int]) -> list[int]:
        """Those of the study's seeds that the cell has runs of."""
        return list(wanted)

    def source(self, seed: int) -> dict[str, str] | None:
        """Where a result is that need not be trained."""
        return None

    @property
    def trained(self) -> bool:
        """Whether anything has to be trained for it."""
        return True

    @property
    def length(self) -> int:
        """How long a run is trained, in the unit of its kind; 0 where that is not known before, and
        where results are there."""
        if self.trained_to is None:
            return self.kind.length(self.recipe)
        return 0 if self.trained_to.seconds else int(self.trained_to.at[-1])

    @property
    def evaluated_every(self) -> int:
        return self.kind.evaluated_every(self.recipe)

    def run_id(self, seed: int) -> str:
        return f"{_slug(self.recipe.name)}-s{seed}-{_digest(self._trained, seed)[:12]}"

    def start_job(self, seed: int) -> dict[str, Any] | None:
        """The run that a run of it begins from, as plain values: its name, recipe and data."""
        if self.start is None:
            return None
        recipe, data = self.start.recipe, self.start.data
        name = f"{_slug(recipe.name)}-s{seed}-{_digest(self._start_identity, seed)[:12]}"
        return {"id": name, "recipe": recipe.model_dump(mode="json"), "data": data}

    @property
    def _start_identity(self) -> list[Any]:
        return [] if self.start is None else self.kind.identity(self.start.recipe, self.start.data)

    @cached_property
    def _trained(self) -> list[Any]:
        return [*self._trained_alone, *self._start_identity]

    @property
    def _trained_alone(self) -> list[Any]:
        marks = self.trained_to
        if marks is None:
            return self.kind.identity(self.recipe, self.data)
        # A training that several marks are on is the same one when marks are added.
        length = marks.at if len(marks.at) == 1 else []
        identity = self.kind.identity(self.kind.lasting(self.recipe, 1), self.data)
        return [*identity, marks.unit, *length]

    def result(self, seed: int) -> str:
        """The name of what is recorded of a run of it."""
        return result_name(self.run_id(seed), self.mark)


@dataclass(frozen=True)
class FoundCell(Cell):
    """A cell of results that are there already; sources: {"kind", "path"} by seed."""

    sources: Mapping[int, dict[str, str]] = field(default_factory=dict)

    def seeds(self, wanted: Sequence[int]) -> list[int]:
        return [seed for seed in wanted if seed in self.sources]

    def source(self, seed: int) -> dict[str, str] | None:
        return self.sources[seed]

    @property
    def trained(self) -> bool:
        return False

    @property
    def length(self) -> int:
        return 0

    @property
    def evaluated_every(self) -> int:
        return 0

    def run_id(self, seed: int) -> str:
        """Another one once what lies there has changed."""
        given = [self.sources[seed], stamp(Path(self.sources[seed]["path"])), self.data]
        return f"{_slug(self.label)}-s{seed}-{_digest(given, seed)[:12]}"


def _digest(trained: list[Any], seed: int) -> str:
    return hashlib.sha256(json.dumps([*trained, seed], sort_keys=True).encode()).hexdigest()


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", text)[:_LONGEST_NAME].strip("-") or "run"
