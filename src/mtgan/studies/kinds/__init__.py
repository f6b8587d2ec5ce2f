"""The kinds of job that a study runs many of, a file each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mtgan.registry import Registry

if TYPE_CHECKING:
    from mtgan.studies.conclusions import Row
    from mtgan.studies.jobs import Job, Measured
    from mtgan.studies.plan import StudyPlan
    from mtgan.studies.schema import Settings, Study, StudyData, StudyRecipe


class Kind(Protocol):
    """How jobs of one kind are described, run and measured.

    Attributes:
        unit: In what the length of a training is counted.
        axes: What its logged values can be drawn over; nothing where it logs none.
        record: The file of a run's folder that holds what was measured of it.
        schema: Of its recipes, which a name alone makes a default one of.
        found: How results that are there already are measured: runs, samples.
    """

    unit: str
    axes: tuple[str, ...]
    record: str

    @property
    def schema(self) -> "Callable[..., Any]": ...

    @property
    def found(self) -> "Mapping[str, Callable[[Path, Job], Measured]]": ...

    def check(self, study: "Study") -> None:
        """UserError for a key of the study that means nothing to jobs of this kind."""

    def recipe(self, entry: "StudyRecipe", settings: "Settings", study: "Study") -> Any:
        """The recipe of an entry under the settings of one cell, resolved and checked."""

    def loading(
        self, entry: "StudyRecipe | None", data: "StudyData", recipe: Any
    ) -> dict[str, Any]:
        """What a worker loads the data by, as plain values; found results have no entry."""

    def identity(self, recipe: Any, loading: Mapping[str, Any]) -> list[Any]:
        """All that is trained by, the seed apart, as plain values: a run's name follows from it."""

    def length(self, recipe: Any) -> int:
        """How long the training is, in `unit`."""

    def batch(self, recipe: Any) -> int:
        """Samples of a batch."""

    def evaluated_every(self, recipe: Any) -> int:
        """Iterations between the evaluations during training; 0 where there are none."""

    def depends_on_length(self, recipe: Any) -> bool:
        """Whether a longer training would have done otherwise from its beginning."""

    def lasting(self, recipe: Any, length: int) -> Any:
        """The recipe, trained for so many `unit`s."""

    def run(self, job: "Job") -> "Iterator[Measured]":
        """Train a job, or go on with it, and measure it at each of its marks, or at its end."""

    def prepare(self, plan: "StudyPlan") -> None:
        """Find or make what all workers need, once, before they begin."""

    def log(self, folder: "Path") -> list[dict[str, Any]]:
        """The lines that the run of a folder has logged (see mtgan.training.logs.RunLog), with the
        `epoch` of each where it is known, and names that all runs of the kind have."""

    def logged(self, recipe: Any, loading: Mapping[str, Any], device: str) -> set[str]:
        """Names of the values that a training logs, found by a short one that is thrown away."""

    def pace(self, recipe: Any, loading: Mapping[str, Any], device: str) -> float:
        """Seconds per `unit`, timed by a short training that is thrown away."""

    def measured(self, study: "Study", protocols: list[Mapping[str, Any]]) -> str:
        """How runs were measured, for the page."""

    def answers(self, study: "Study", rows: "Sequence[Row]") -> list[str]:
        """What the study's comparisons say to the question that all studies of the kind ask, a
        sentence each; none where there is no such question."""


KINDS: "Registry[Kind]" = Registry(
    "kind of job",
    "mtgan.studies.kinds",
    has=("run", "identity"),
    # Whether its runs can begin from another one.
    capabilities={"starts": False},
)
