"""What a study is: a matrix of runs, how long they train, and what is measured of them.

A study file is YAML. Its own keys are the full-size setting; `scales` names others, each a few keys
that replace the study's (mappings named in MERGED are merged instead).
"""

import difflib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from mtgan.errors import UserError
from mtgan.files import dump_yaml, read_text
from mtgan.recipes.load import read_mapping
from mtgan.recipes.schema import NonNegative, Part, Positive
from mtgan.registry import nearest

_FILES = resources.files("mtgan.studies") / "files"
MERGED = ("set", "budget", "evaluation")
_KNOWN = {"accuracy", "ngram distance"}  # what follows them in a name is the level, or a size
Settings = dict[str, Any]
"""Dotted recipe keys and their values, as after `--set`."""

Direction = Literal["lower", "higher", ""]
_DIRECTIONS: dict[str, Direction] = {
    "frechet_distance": "lower",
    "kernel_distance": "lower",
    "inception_score": "higher",
    "accuracy": "higher",
}


class Arm(Part):
    """A recipe of the zoo or a file, with settings of its own. A plain name is enough."""

    recipe: str
    name: str = ""  # the recipe's when empty
    data: str = ""  # the one data set of the study that it is for; each of them when empty
    set: Settings = {}

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"recipe": value} if isinstance(value, str) else value

    @property
    def label(self) -> str:
        return self.name or Path(self.recipe).stem


class StudyData(Part):
    """Training data: arguments of load_dataset."""

    name: str
    root: str | None = None
    size: Positive | tuple[Positive, Positive] | None = None  # the recipe's when absent
    channels: Literal[1, 3] | None = None
    taxonomy: str | dict[str, Any] | None = None
    # A whole number is a count, a fraction in (0, 1] a share.
    subset: Positive | Annotated[float, Field(gt=0, le=1)] | None = None
    stratified: bool = True
    seed: NonNegative = 0


class Measure(Part):
    """A value of every run that the study compares. A plain name is enough."""

    name: str
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

    steps: Positive | None = None
    scale: str = "full"


class EvaluationPart(Part):
    """How a finished run is measured: always against the whole of its data set, so that runs on
    other subsets or label hierarchies are measured by one and the same instrument."""

    samples: Positive = 10_000
    split: Literal["train", "test"] = "train"
    features: str = "auto"
    metrics: str | None = None  # measures of a full scorecard, as `mtgan evaluate --metrics`
    seed: NonNegative = 0


class Baseline(Part):
    """With what each cell is compared: the cell that has these labels instead of its own."""

    recipe: str | None = None
    variant: str | None = None
    data: str | None = None


def _as_seeds(value: Any) -> Any:
    return list(range(value)) if isinstance(value, int) and not isinstance(value, bool) else value


class Study(Part):
    """A matrix of recipes x variants x datasets x seeds, resolved to one scale."""

    name: str = "unnamed"
    title: str = ""
    about: str = ""
    source: str = ""
    scale: str = "full"
    recipes: Annotated[list[Arm], Field(min_length=1)]
    variants: Annotated[dict[str, Settings], Field(min_length=1)] = {"": {}}
    datasets: Annotated[dict[str, StudyData], Field(min_length=1)]
    # A number n stands for 0 to n - 1.
    seeds: Annotated[list[NonNegative], BeforeValidator(_as_seeds), Field(min_length=1)] = [0]
    set: Settings = {}
    budget: Budget = Budget()
    evaluation: EvaluationPart = EvaluationPart()
    measures: Annotated[list[Measure], Field(min_length=1)] = [Measure(name="frechet_distance")]
    baseline: Baseline | None = None  # the first recipe, variant or data set when absent
    contrasts: list[tuple[str, str]] = []  # further comparisons, as pairs of cells' labels
    curves: list[str] = []  # logged values that the page draws over training
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05

    @field_validator("recipes", "seeds", "measures")
    @classmethod
    def _distinct(cls, values: list[Any]) -> list[Any]:
        labels = [getattr(value, "label", getattr(value, "name", value)) for value in values]
        twice = next((label for label in labels if labels.count(label) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice!r} stands there twice; give each a name of its own")
        return values


def study_names() -> list[str]:
    """Studies that are shipped."""
    return sorted(
        item.name.removesuffix(".yaml") for item in _FILES.iterdir() if item.name.endswith(".yaml")
    )


def scale_names(study: str | Path) -> list[str]:
    """The scales that a study has."""
    return ["full", *(name for name in _read(study)[0].get("scales", {}) if name != "full")]


def load_study(study: str | Path, scale: str = "full", seeds: int | None = None) -> Study:
    """A shipped study by name, or a YAML file, at one of its scales.

    seeds: 0 to seeds - 1 instead of those in the file. Raises UserError for an unknown name, key
    or scale, or a value out of range.
    """
    values, label = _read(study)
    scales = values.pop("scales", {})
    if not isinstance(scales, Mapping):
        raise UserError(f"Study {label}: scales should map names to keys that they replace.")
    if scale not in {*scales, "full"}:
        raise UserError(
            f"Study {label} has no scale {scale!r}: {nearest(scale, ['full', *scales])}"
        )
    for key, value in (scales.get(scale) or {}).items():
        both = key in MERGED and isinstance(values.get(key), Mapping)
        values[key] = {**values[key], **value} if both else value
    values = {"name": label, "scale": scale, **values}
    if seeds is not None:
        values["seeds"] = seeds
    return _validate(values, label)


def dump_study(study: Study) -> str:
    """The resolved study as YAML, which is itself a study file."""
    return dump_yaml(study.model_dump(mode="json"))


def _read(study: str | Path) -> tuple[dict[str, Any], str]:
    path = Path(study)
    if path.suffix in {".yaml", ".yml"} and path.is_file():
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


def _validate(values: dict[str, Any], label: str) -> Study:
    try:
        return Study.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
            close = difflib.get_close_matches(where, [*Study.model_fields, "scales"], n=1)
            hint = f"did you mean {close[0]!r}?" if close else "see docs/studies.md."
            raise UserError(f"Study {label}: there is no key {where!r}: {hint}") from error
        found = "" if first["type"] == "missing" else f" (found {first['input']!r})"
        raise UserError(f"Study {label}: {where}: {first['msg']}{found}.") from error
