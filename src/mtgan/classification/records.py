"""What the files of a classifier's run hold, and what of them is read back."""

from typing import Annotated

from pydantic import Field, field_validator

from mtgan.recipes.records import Record
from mtgan.training.records import TaxonomyRecord

Whole = Annotated[int, Field(ge=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class TaskRecord(Record):
    """What a task classifies."""

    level: str
    classes: Annotated[list[str], Field(min_length=1)]


class ClassifierInfoRecord(Record):
    """data.json: image shape (C, H, W), level and classes by task, and the data sets' taxonomies
    (absent in runs of earlier versions)."""

    shape: tuple[Whole, Whole, Whole]
    tasks: dict[str, TaskRecord]
    taxonomies: Annotated[dict[str, TaxonomyRecord], Field(default_factory=dict)]

    @field_validator("tasks")
    @classmethod
    def _there_is_a_main_task(cls, tasks: dict[str, TaskRecord]) -> dict[str, TaskRecord]:
        if "main" not in tasks:
            raise ValueError("there should be a task 'main'")
        return tasks


class EpochRecord(Record):
    """A line of metrics.jsonl: what was measured after so many epochs."""

    kind: str
    step: Whole
    seconds: Number
    values: dict[str, float]

    @field_validator("values")
    @classmethod
    def _measured(cls, values: dict[str, float]) -> dict[str, float]:
        for name in ("main/accuracy", "main/cross_entropy"):
            if name not in values:
                raise ValueError(f"there should be a value {name!r}")
        return values


class BestEpochRecord(Record):
    """The epoch of the highest validation accuracy so far."""

    epoch: Whole
    accuracy: float


class ClassifierStateRecord(Record):
    """state.json of a checkpoint."""

    epoch: Whole
    best: BestEpochRecord


class ResultRecord(Record):
    """result.json."""

    maximum_validation_accuracy: float
    minimum_validation_cross_entropy: float
    chosen_epoch: int
    test_accuracy: float
    test_cross_entropy: float
    last_validation_accuracy: float
    last_distance: float | None
    training_images: dict[str, int]
    validation_images: int
    test_images: int
    parameters: int
    seconds: Number
