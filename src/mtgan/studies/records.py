"""What a study's JSON files hold, and what of them is read back."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from mtgan.recipes.records import Record

# A folder of runs/, and no path out of it.
RunName = Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]*[A-Za-z0-9-]$")]


class Value(Record):
    """One measure of a run; NaN where it has none."""

    value: float
    better: str = ""


class RunResult(Record):
    """What a worker records of a run that is finished and measured."""

    evaluation: dict[str, Any]
    values: dict[str, Value]
    protocol: dict[str, Any]
    iterations: Annotated[int, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0)]
    fingerprint: str


class Loading(Record):
    """What the page says of a cell's data."""

    name: str
    subset: int | float | None
    labeled: int | float | None = None
    classes: dict[str, list[str]] | None = None


class CellRecord(Record):
    """One cell of plan.json: its parts, what is set over its recipe, and its runs by seed."""

    label: str
    recipe: str
    recipe_name: str
    variant: str
    setting: str = ""  # of the study's space
    data: str
    loading: Loading
    settings: dict[str, Any]
    kind: str = ""  # of its jobs; the study's when empty
    mark: Annotated[float, Field(gt=0)] | None = None
    iterations: Annotated[int, Field(ge=0)]  # 0: it was there already
    evaluate_every: Annotated[int, Field(ge=0)] = 0  # 0: never during training
    runs: Annotated[dict[int, RunName], Field(min_length=1)]


class PlanRecord(Record):
    """plan.json: the cells, and which of them are compared, the second being the baseline."""

    cells: Annotated[list[CellRecord], Field(min_length=1)]
    pairs: list[tuple[str, str]]

    @model_validator(mode="after")
    def _pairs_are_of_cells(self) -> "PlanRecord":
        labels = {cell.label for cell in self.cells}
        if len(labels) < len(self.cells):
            raise ValueError("two cells have the same label")
        for label in (label for pair in self.pairs for label in pair):
            if label not in labels:
                raise ValueError(f"pairs names {label!r}, and no cell is called so")
        return self


class Failures(Record):
    """failures.json: why runs failed, by name."""

    runs: dict[str, str]

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, values: Any) -> Any:
        return {"runs": values}
