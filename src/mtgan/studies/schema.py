"""What a study is: a matrix of runs, how long they train, and what is measured of them."""

from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from mtgan.limits import MOST_SEEDS
from mtgan.recipes.ranges import OneOrMore, Part, Size
from mtgan.recipes.sentences import sentence
from mtgan.registry import nearest
from mtgan.studies.kinds import KINDS
from mtgan.studies.measures import (
    Count,
    Curve,
    EvaluationPart,
    FailurePart,
    Marks,
    Measure,
    Name,
    Over,
    Seed,
    Steps,
    Threshold,
)
from mtgan.studies.space import Settings, Space
from mtgan.text import html_summary, printable

Share = Annotated[float, Field(gt=0, le=1, strict=True)]


def _known_kind(name: str) -> str:
    return KINDS.check(name) if name else name


class StudyData(Part):
    """Training data: arguments of load_dataset."""

    name: Name
    root: str | None = None
    size: Size = None  # 64, (H, W) or HxW; the recipe's when absent
    channels: Literal[1, 3] | None = None  # likewise
    taxonomy: str | dict[str, Any] | None = None
    # A whole number is a count, a fraction in (0, 1] a share.
    subset: Count | Share | None = None
    stratified: bool = True
    labeled: Count | Share | None = None  # those that keep their labels
    # By level, the classes whose samples alone there are, for training and as the reference.
    classes: dict[Name, OneOrMore] | None = None
    seed: Seed = 0


class StudyStart(Part):
    """The run that an entry's runs begin from (mtgan.train's `start`): one for each seed, of all
    entries that begin from it, and trained first. The budget of the study is not its own."""

    data: StudyData
    recipe: str = ""  # the entry's when empty
    set: Settings = {}  # over the study's; training.steps says how long it is


class StudyRecipe(Part):
    """A recipe of the zoo or a file, or of scripts a command line, with settings of its own. A
    plain name is enough."""

    recipe: Name
    kind: Annotated[str, AfterValidator(_known_kind)] = ""  # of its jobs; the study's when empty
    name: str = ""  # the recipe's when empty
    data: str = ""  # the one data set of the study that it is for; each of them when empty
    variant: str = ""  # likewise the one variant
    set: Settings = {}
    auxiliary_data: str = ""  # of classifiers: the auxiliary task's own data set
    # Whether each of the study's marks has a training of its own; None: where a training would do
    # otherwise if it were longer, as where its rates fall.
    run_per_mark: bool | None = None
    start: StudyStart | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"recipe": value} if isinstance(value, str) else value

    @property
    def label(self) -> str:
        return self.name or Path(self.recipe).stem


def _absolute(path: str) -> str:
    """So that workers, and a study continued from elsewhere, find it."""
    return str(Path(path).resolve())


FoundPath = Annotated[str, Field(min_length=1), AfterValidator(_absolute)]


class Found(Part):
    """A cell of results that are there already: one of runs, samples and numbers.

    runs: folders of finished runs, one for each seed of the study in its order. samples: folders
    of images or .npz files, likewise. numbers: a CSV with a column for each measure, a
    row for each seed, and perhaps a column `seed`.
    """

    name: Name
    runs: list[FoundPath] = []
    samples: list[FoundPath] = []
    numbers: FoundPath | None = None
    data: str = ""  # the data set of the study that it is measured on; the first when empty

    @property
    def label(self) -> str:
        return self.name

    @model_validator(mode="after")
    def _one_kind(self) -> "Found":
        if sum(map(bool, (self.runs, self.samples, self.numbers))) != 1:
            raise ValueError(f"{self.name!r} should have one of runs, samples and numbers")
        return self


class Budget(Part):
    """How long and how large: `scale` shrinks every recipe as `--scale` does, `steps` wins."""

    steps: Steps | None = None
    scale: str = "full"


def _survey(values: dict[str, Any]) -> dict[str, Any]:
    """Keys of a survey, checked where there are any: its designs take long to import."""
    from mtgan.surveys.schema import Settings as SurveySettings

    try:
        SurveySettings.model_validate(values)
    except ValidationError as error:
        raise ValueError(sentence(error, SurveySettings)) from None
    return values


SurveyPart = Annotated[dict[str, Any], AfterValidator(_survey)]


class Baseline(Part):
    """With what each cell is compared: the cell that has these labels instead of its own."""

    recipe: str | None = None
    variant: str | None = None
    data: str | None = None


def _as_seeds(value: Any) -> Any:
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    if not 1 <= value <= MOST_SEEDS:
        raise ValueError(f"a number of seeds should be from 1 to {MOST_SEEDS:,}")
    return list(range(value))


class Study(Part):
    """A matrix of recipes x variants x datasets x seeds, resolved to one scale."""

    name: Name = "unnamed"
    title: str = ""
    about: str = ""
    source: str = ""
    scale: Name = "full"
    kind: Annotated[str, AfterValidator(KINDS.check)] = "gan"
    plugins: list[str] = []  # modules of one's own that are imported first, by workers too
    recipes: Annotated[list[StudyRecipe], Field(min_length=1)]
    found: list[Found] = []
    variants: Annotated[dict[str, Settings], Field(min_length=1)] = {"": {}}
    space: Space | None = None  # settings of a grid, or drawn at random, crossed with both
    datasets: Annotated[dict[str, StudyData], Field(min_length=1)]
    # A number n stands for 0 to n - 1.
    seeds: Annotated[
        list[Seed], BeforeValidator(_as_seeds), Field(min_length=1, max_length=MOST_SEEDS)
    ] = [0]
    set: Settings = {}
    budget: Budget = Budget()
    evaluation: EvaluationPart = EvaluationPart()
    marks: Marks | None = None  # measured there, instead of after the last iteration
    measures: Annotated[list[Measure], Field(min_length=1)] = [Measure(name="frechet_distance")]
    # Of measures, the values whose first marks are looked for: {"frechet_distance": [1.0, 0.5]}.
    thresholds: dict[Name, Annotated[list[Threshold], Field(min_length=1)]] = {}
    failure: FailurePart | None = None  # which runs failed; shares of them are compared
    survey: SurveyPart | None = None  # people judge samples of the cells (mtgan.studies.people)
    baseline: Baseline | None = None  # the first recipe, variant or data set when absent
    contrasts: list[tuple[str, str]] = []  # further comparisons, as pairs of cells' labels
    curves: list[Curve] = []  # logged values that the page draws over training
    curves_over: Literal["training"] | Over = "training"  # its unit; or wall-clock seconds, ...
    axis: Literal["recipe", "variant", "data"] | None = None  # measures are drawn over its numbers
    gallery: bool = False  # samples of each cell stand in the table of all measures
    alpha: Annotated[float, Field(gt=0, lt=1, strict=True)] = 0.05

    @field_validator("recipes", "found", "seeds", "measures", "curves")
    @classmethod
    def _distinct(cls, values: list[Any]) -> list[Any]:
        labels = [getattr(value, "label", getattr(value, "name", value)) for value in values]
        twice = first_repeated(labels)
        if twice is not None:
            named = "" if isinstance(twice, int) else ", or give each a name of its own"
            raise ValueError(f"{twice!r} stands there twice; take one away{named}")
        return values

    @model_validator(mode="after")
    def _limits_are_of_measures(self) -> "Study":
        known = {measure.name for measure in self.measures}
        beyond = self.failure.beyond if self.failure else {}
        for key, names in (("thresholds", self.thresholds), ("failure.beyond", beyond)):
            odd = next((name for name in names if name not in known), None)
            if odd is not None:
                raise ValueError(f"{key} names {odd!r}: {nearest(odd, sorted(known))}")
        if self.thresholds and self.marks is None:
            raise ValueError("thresholds are looked for among marks; add marks")
        return self

    @model_validator(mode="after")
    def _arms_are_varied(self) -> "Study":
        varied = [*(entry.set for entry in self.recipes), *self.variants.values()]
        varied += [self.space.axes] if self.space else []
        known = ["recipe", "variant", "data", *dict.fromkeys(key for one in varied for key in one)]
        for arm in self.failure.arms if self.failure else ():
            if arm not in known:
                raise ValueError(f"failure.arms names {arm!r}: {nearest(arm, known)}")
        return self

    @property
    def settings(self) -> dict[str, Settings]:
        """Those of the space by their names; where there is none, "" alone."""
        return self.space.settings() if self.space else {"": {}}

    def __repr__(self) -> str:
        parts = (
            (self.recipes, "recipe"),
            (self.variants, "variant"),
            *([(self.settings, "setting")] if self.space else []),
            (self.datasets, "data set"),
            (self.seeds, "seed"),
            *([(self.marks.at, "mark")] if self.marks else []),
        )
        counts = (f"{len(part)} {noun}{'s' if len(part) > 1 else ''}" for part, noun in parts)
        text = f"{self.name!r}, scale {self.scale}: {' x '.join(counts)}"
        return f"Study({printable(text)})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """For notebooks: what is varied and measured."""
        rows = {
            "recipes": ", ".join(entry.label for entry in self.recipes),
            "variants": ", ".join(filter(None, self.variants)) or "none",
            "data sets": ", ".join(self.datasets),
            "seeds": len(self.seeds),
            "measures": ", ".join(measure.name for measure in self.measures),
        }
        return html_summary(f"{self.title or self.name} (scale {self.scale})", rows)


def first_repeated(labels: Iterable[Hashable]) -> Any:
    """The first label that has been there before; None where all are distinct."""
    seen = set()
    for label in labels:
        if label in seen:
            return label
        seen.add(label)
    return None
