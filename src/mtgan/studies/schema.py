"""What a study is: a matrix of runs, how long they train, and what is measured of them.

A study file is YAML. Its own keys are the full-size setting; `scales` names others, each a few keys
that replace the study's (mappings named in MERGED are merged instead).
"""

from collections.abc import Hashable, Iterable, Mapping
from importlib import resources
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

from mtgan.errors import UserError
from mtgan.files import dump_yaml, read_text
from mtgan.limits import LARGEST_COUNT, LARGEST_SEED, LARGEST_STEP, MOST_SEEDS
from mtgan.recipes.load import read_mapping, sentence, use_plugins
from mtgan.recipes.schema import Part, Size
from mtgan.registry import nearest
from mtgan.studies.kinds import KINDS
from mtgan.text import html_summary, printable

_FILES = resources.files("mtgan.studies") / "files"
MERGED = ("set", "budget", "evaluation")
_KNOWN = {"accuracy", "ngram distance"}  # what follows them in a name is the level, or a size
Settings = dict[str, Any]
"""Dotted recipe keys and their values, as after `--set`."""

# Strict: neither true nor "3" is a number.
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED, strict=True)]
Count = Annotated[int, Field(ge=1, le=LARGEST_COUNT, strict=True)]
Steps = Annotated[int, Field(ge=1, le=LARGEST_STEP, strict=True)]
Share = Annotated[float, Field(gt=0, le=1, strict=True)]
Name = Annotated[str, Field(min_length=1)]

Direction = Literal["lower", "higher", ""]
_DIRECTIONS: dict[str, Direction] = {
    "frechet_distance": "lower",
    "kernel_distance": "lower",
    "inception_score": "higher",
    "accuracy": "higher",
}
# What evaluations during training log, by the part of the name before a level.
_EVALUATED = {"frechet_distance", "inception_score", "accuracy"}


class Arm(Part):
    """A recipe of the zoo or a file, with settings of its own. A plain name is enough."""

    recipe: Name
    name: str = ""  # the recipe's when empty
    data: str = ""  # the one data set of the study that it is for; each of them when empty
    set: Settings = {}
    auxiliary_data: str = ""  # of classifiers: the auxiliary task's own data set

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
        return {"better": _DIRECTIONS.get(str(given["name"]).partition("/")[0], ""), **given}

    @property
    def title(self) -> str:
        """As prose: "Frechet distance", "accuracy (fine)", "smiles: validity"."""
        parts = self.name.replace("_", " ").replace("frechet", "Frechet").split("/")
        known = next((i for i, part in enumerate(parts) if part in _KNOWN), len(parts))
        where, level = ": ".join(parts[: known + 1]), "/".join(parts[known + 1 :])
        return f"{where} ({level})" if level else where


class Budget(Part):
    """How long and how large: `scale` shrinks every recipe as `--scale` does, `steps` wins."""

    steps: Steps | None = None
    scale: str = "full"


class EvaluationPart(Part):
    """How a finished run is measured: always against the whole of its data set, so that runs on
    other subsets or label hierarchies are measured by one and the same instrument."""

    samples: Count = 10_000
    split: Literal["train", "test"] = "train"
    features: str = "auto"
    metrics: str | None = None  # measures of a full scorecard, as `mtgan evaluate --metrics`
    seed: Seed = 0


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
    recipes: Annotated[list[Arm], Field(min_length=1)]
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
    measures: Annotated[list[Measure], Field(min_length=1)] = [Measure(name="frechet_distance")]
    baseline: Baseline | None = None  # the first recipe, variant or data set when absent
    contrasts: list[tuple[str, str]] = []  # further comparisons, as pairs of cells' labels
    curves: list[Name] = []  # logged values that the page draws over training
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

    def __repr__(self) -> str:
        parts = (
            (self.recipes, "recipe"),
            (self.variants, "variant"),
            (self.datasets, "data set"),
            (self.seeds, "seed"),
        )
        counts = (f"{len(each)} {noun}{'s' if len(each) > 1 else ''}" for each, noun in parts)
        text = f"{self.name!r}, scale {self.scale}: {' x '.join(counts)}"
        return f"Study({printable(text)})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """For notebooks: what is varied and measured."""
        rows = {
            "recipes": ", ".join(arm.label for arm in self.recipes),
            "variants": ", ".join(filter(None, self.variants)) or "none",
            "data sets": ", ".join(self.datasets),
            "seeds": len(self.seeds),
            "measures": ", ".join(measure.name for measure in self.measures),
        }
        return html_summary(f"{self.title or self.name} (scale {self.scale})", rows)

    @property
    def evaluated_curves(self) -> list[str]:
        """The curves whose values come of evaluations during training."""
        return [name for name in self.curves if name.partition("/")[0] in _EVALUATED]


def first_repeated(labels: Iterable[Hashable]) -> Any:
    """The first label that has been there before; None where all are distinct."""
    seen = set()
    for label in labels:
        if label in seen:
            return label
        seen.add(label)
    return None


def study_names() -> list[str]:
    """Studies that are shipped."""
    return sorted(
        item.name.removesuffix(".yaml") for item in _FILES.iterdir() if item.name.endswith(".yaml")
    )


def scale_names(study: str | Path) -> list[str]:
    """The scales that a study has."""
    values, label = _read(study)
    return ["full", *(name for name in _scales(values, f"Study {label}") if name != "full")]


def load_study(study: str | Path, scale: str = "full", seeds: int | None = None) -> Study:
    """A shipped study by name, or a YAML file, at one of its scales.

    seeds: 0 to seeds - 1 instead of those in the file. Raises UserError for an unknown name, key
    or scale, or a value out of range.
    """
    values, label = _read(study)
    what = f"Study {study}"
    scales = _scales(values, what)
    if scale not in {*scales, "full"}:
        raise UserError(f"{what} has no scale {scale!r}: {nearest(scale, ['full', *scales])}")
    for key, value in scales.get(scale, {}).items():
        both = key in MERGED and all(isinstance(v, Mapping) for v in (values.get(key), value))
        values[key] = {**values[key], **value} if both else value
    values = {"name": label, "scale": scale, **values}
    if seeds is not None:
        values["seeds"] = seeds
    use_plugins(values, what)
    try:
        return Study.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{what}: {sentence(error, Study)}") from error


def dump_study(study: Study) -> str:
    """The resolved study as YAML, which is itself a study file."""
    aside = set() if study.plugins else {"plugins"}
    return dump_yaml(study.model_dump(mode="json", exclude=aside))


def _scales(values: dict[str, Any], what: str) -> dict[str, Mapping[str, Any]]:
    """The keys that each scale replaces; taken out of the values."""
    scales = values.pop("scales", {})
    if not isinstance(scales, dict) or not all(
        isinstance(name, str) and isinstance(keys, Mapping) for name, keys in scales.items()
    ):
        raise UserError(f"{what}: scales should map names to the keys that they replace.")
    return scales


def _read(study: str | Path) -> tuple[dict[str, Any], str]:
    path = Path(study)
    if path.suffix in {".yaml", ".yml"} and path.exists():
        text, label = read_text(path, "The study"), path.stem
    elif str(study).removesuffix(".yaml") in study_names():
        label = str(study).removesuffix(".yaml")
        text = (_FILES / f"{label}.yaml").read_text()
    elif path.suffix in {".yaml", ".yml"}:
        raise UserError(f"There is no study file {path}; shipped: {', '.join(study_names())}.")
    else:
        raise UserError(
            f"There is no study {str(study)!r}: {nearest(str(study), study_names())} "
            "(A file of your own ends in .yaml.)"
        )
    return read_mapping(text, f"The study {study}"), label
