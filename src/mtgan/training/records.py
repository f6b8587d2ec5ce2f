"""What the files of a run hold, validated where they are read; see mtgan.recipes.records."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from mtgan.data.numbers import STEPS
from mtgan.recipes import Recipe
from mtgan.recipes.records import Record

Positive = Annotated[int, Field(ge=1)]
NonNegative = Annotated[int, Field(ge=0)]
Label = Annotated[int, Field(ge=-1)]  # -1: missing
Step = Annotated[int, Field(ge=-1, le=STEPS)]  # of a number's range
Side = Annotated[int, Field(ge=1, le=65_536)]
Count = Annotated[int, Field(ge=1, le=2**53)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Ends = Annotated[list[Finite], Field(min_length=2, max_length=2)]


class StrictRecord(Record):
    """Types are not converted."""

    model_config = ConfigDict(strict=True)


# data.json


class ParentRecord(StrictRecord):
    """The level above, and for each class the index of its parent there."""

    level: str
    index: list[NonNegative]


class TaxonomyRecord(StrictRecord):
    """As of Taxonomy.to_dict, which checks how its parts go together."""

    levels: list[str]
    classes: dict[str, list[str]]
    parents: dict[str, ParentRecord]


class DatasetInfoRecord(StrictRecord):
    """data.json; see mtgan.training.dataset_info.DatasetInfo."""

    shape: Annotated[list[Side], Field(min_length=3, max_length=3)]
    taxonomy: TaxonomyRecord
    label_rows: list[list[Label]]
    label_counts: list[Count]
    domains: list[dict[str, Any]] = Field(default_factory=list)
    # By name the least and the largest of the training data; in millionths of that range.
    numbers: dict[str, Ends] = Field(default_factory=dict)
    number_rows: list[list[Step]] = Field(default_factory=list)

    @model_validator(mode="after")
    def _of_numbers(self) -> "DatasetInfoRecord":
        rows = len(self.label_rows) if self.numbers else 0
        if len(self.number_rows) != rows:
            raise ValueError(f"number_rows has {len(self.number_rows)} entries, and needs {rows}")
        if odd := [row for row in self.number_rows if len(row) != len(self.numbers)]:
            raise ValueError(f"number_rows has {odd[0]}, and numbers are {list(self.numbers)}")
        return self


# recipe.yaml


class DataRecord(StrictRecord):
    """Arguments of load_dataset that give the data set again; no name for one made of arrays."""

    model_config = ConfigDict(extra="allow")  # options that load_dataset has gained

    name: str = ""
    split: Literal["train", "test", "all"] = "train"
    root: str | None = None
    size: list[Positive] | Positive | str | None = None
    channels: Literal[1, 3] | None = None
    taxonomy: TaxonomyRecord | None = None
    subset: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    labeled: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    classes: dict[str, list[str]] | None = None
    stratified: bool = True
    seed: NonNegative = 0


class StartRecord(StrictRecord):
    """The model that a run began from, as of an iteration; weights: SHA-256 of their file."""

    path: str
    recipe: str
    data: str
    step: NonNegative
    weights: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class RunRecord(StrictRecord):
    """What recipe.yaml holds under `run`."""

    data: DataRecord
    data_name: str
    data_fingerprint: str
    samples: NonNegative
    seed: NonNegative
    versions: dict[str, str]
    # By module its version, "" where it has none.
    plugins: dict[str, str] = Field(default_factory=dict)
    start: StartRecord | None = None


# metrics.jsonl


class LineRecord(StrictRecord):
    """One line; see mtgan.training.logs.RunLog."""

    kind: str
    step: NonNegative
    seconds: Seconds
    values: dict[str, float]
    steps_per_second: Finite | None = None
    protocol: dict[str, Any] = Field(default_factory=dict)
    # Of the twins whose protocol is another than the first one's.
    twins_protocol: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _measured(self) -> "LineRecord":
        if self.kind == "evaluation" and "frechet_distance" not in self.values:
            raise ValueError("an evaluation has a value frechet_distance, which is missing")
        return self


# trackers/told.json


class TrackerRecord(StrictRecord):
    """By what a tracker knows the run, and the last step of each kind of line that it was told."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
    kept: str | None
    told: dict[str, NonNegative]


class TrackersRecord(StrictRecord):
    """By the names of --log; see mtgan.training.trackers."""

    trackers: dict[str, TrackerRecord]


# checkpoints/step-.../state.json


class BestRecord(StrictRecord):
    """The iteration of the lowest Frechet distance so far."""

    step: NonNegative
    frechet_distance: float


class SumRecord(StrictRecord):
    """Scalars that were added up together, and how often; see mtgan.training.logs.Averages."""

    names: Annotated[list[str], Field(min_length=1)]
    sums: list[float]
    count: Positive

    @model_validator(mode="after")
    def _as_many(self) -> "SumRecord":
        if len(self.names) != len(self.sums):
            raise ValueError(f"there are {len(self.names)} names and {len(self.sums)} sums")
        return self


class ClockRecord(StrictRecord):
    """Seconds of training so far, and iteration and seconds of the last logged line."""

    seconds: Seconds
    logged_step: NonNegative
    logged_seconds: Seconds


class StateRecord(StrictRecord):
    """Iterations done, and what else of a training is no tensor."""

    iteration: NonNegative
    best: Annotated[BestRecord | None, BeforeValidator(lambda best: None if best == {} else best)]
    twins_best: dict[str, BestRecord] = Field(default_factory=dict)  # of those but the main one
    # Absent in checkpoints of earlier versions, which began both anew.
    averages: list[SumRecord] = Field(default_factory=list)
    clock: ClockRecord | None = None

    def best_of(self, recipe: Recipe, twin: str | None) -> BestRecord | None:
        """The best iteration of a twin; of the only generator, or the main twin, without a name."""
        return self.best if twin in {None, *recipe.twins[:1]} else self.twins_best.get(str(twin))
