"""What a study is: a matrix of runs, how long they train, and what is measured of them."""

from collections.abc import Hashable, Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from mtgan.limits import LARGEST_COUNT, LARGEST_SEED, LARGEST_STEP, MOST_SEEDS
from mtgan.recipes.schema import Part, Size
from mtgan.registry import nearest
from mtgan.studies.kinds import KINDS
from mtgan.text import html_summary, printable

# What follows them in a name is the level, or a size.
_KNOWN = {"accuracy", "conditional accuracy", "train on generated", "ngram distance"}
Settings = dict[str, Any]
"""Dotted recipe keys and their values, as after `--set`."""

# Strict: neither true nor "3" is a number.
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED, strict=True)]
Count = Annotated[int, Field(ge=1, le=LARGEST_COUNT, strict=True)]
Steps = Annotated[int, Field(ge=1, le=LARGEST_STEP, strict=True)]
Seconds = Annotated[float, Field(gt=0, le=LARGEST_STEP, strict=True)]
Threshold = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Half = Literal["tuning", "reporting"]
Share = Annotated[float, Field(gt=0, le=1, strict=True)]
Name = Annotated[str, Field(min_length=1)]

Direction = Literal["lower", "higher", ""]
_DIRECTIONS: dict[str, Direction] = {
    "frechet_distance": "lower",
    "kernel_distance": "lower",
    "inception_score": "higher",
    "accuracy": "higher",
}
_LATER = ("half", "beside")  # keys of instruments that came later


def _known_kind(name: str) -> str:
    return KINDS.check(name) if name else name


class StudyRecipe(Part):
    """A recipe of the zoo or a file, or of scripts a command line, with settings of its own. A
    plain name is enough."""

    recipe: Name
    kind: Annotated[str, AfterValidator(_known_kind)] = ""  # of its jobs; the study's when empty
    name: str = ""  # the recipe's when empty
    data: str = ""  # the one data set of the study that it is for; each of them when empty
    set: Settings = {}
    auxiliary_data: str = ""  # of classifiers: the auxiliary task's own data set
    # Whether each of the study's marks has a training of its own; None: where a training would do
    # otherwise if it were longer, as where its rates fall.
    run_per_mark: bool | None = None

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
    seed: Seed = 0


class Measure(Part):
    """A value of every run that the study compares. A plain name is enough."""

    name: Name
    better: Direction = ""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        given = {"name": value} if isinstance(value, str) else value
        if not isinstance(given, Mapping) or "name" not in given:
            return given
        parts = str(given["name"]).split("/")  # of a twin or an instrument, in front
        better = next((_DIRECTIONS[part] for part in parts if part in _DIRECTIONS), "")
        return {"better": better, **given}

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


class Budget(Part):
    """How long and how large: `scale` shrinks every recipe as `--scale` does, `steps` wins."""

    steps: Steps | None = None
    scale: str = "full"


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
    def _thresholds_of_measures(self) -> "Study":
        known = {measure.name for measure in self.measures}
        odd = next((name for name in self.thresholds if name not in known), None)
        if odd is not None:
            raise ValueError(f"thresholds names {odd!r}: {nearest(odd, sorted(known))}")
        if self.thresholds and self.marks is None:
            raise ValueError("thresholds are looked for among marks; add marks")
        return self

    def __repr__(self) -> str:
        parts = (
            (self.recipes, "recipe"),
            (self.variants, "variant"),
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
