"""From a study's name or file to a Study at one of its scales.

A study file is YAML. Its own keys are the full-size setting; `scales` names others, each a few keys
that replace the study's (mappings named in MERGED are merged instead). `extends` names a study
whose keys stand where the file has none.
"""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mtgan.data.load import check_root
from mtgan.errors import UserError
from mtgan.files import dump_yaml, read_text
from mtgan.recipes.load import read_mapping, sentence, use_plugins
from mtgan.registry import nearest
from mtgan.studies.schema import Settings, Study

_FILES = resources.files("mtgan.studies") / "files"
MERGED = ("set", "budget", "evaluation")


def study_names() -> list[str]:
    """Studies that are shipped."""
    return sorted(
        item.name.removesuffix(".yaml") for item in _FILES.iterdir() if item.name.endswith(".yaml")
    )


def load_study(
    study: str | Path,
    scale: str = "full",
    seeds: int | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Study:
    """A shipped study by name, or a YAML file, at one of its scales.

    seeds: 0 to seeds - 1 instead of those in the file. overrides: dotted keys of every recipe, over
    those of the study. Raises UserError for an unknown name, key or scale, a value out of range,
    and an override of what the study varies.
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
        found = Study.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{what}: {sentence(error, Study)}") from error
    return _with_settings(found, dict(overrides or {}))


def on_data(
    study: Study, name: str, root: Path | None = None, taxonomy: Path | None = None
) -> Study:
    """A study of one data set on another one, and called after it.

    UserError where the study varies the data, and for a root of data that have no use for it.
    """
    if len(study.datasets) > 1:
        raise UserError(
            f"Study {study.name} varies the data ({', '.join(study.datasets)}), so no other set "
            "can take their place; write a study file with datasets of your own."
        )
    check_root(name, root)
    [own] = study.datasets.values()
    label = Path(name).name
    places = {"root": root and str(root), "taxonomy": taxonomy and str(taxonomy)}
    changed = own.model_copy(update={"name": name, **places})
    recipes = [entry.model_copy(update={"data": ""}) for entry in study.recipes]
    called = {"name": f"{study.name}-{label}", "recipes": recipes}
    return study.model_copy(update={**called, "datasets": {label: changed}})


def restricted(
    study: Study,
    recipes: Sequence[str] = (),
    marks: Sequence[float] = (),
    seeds: Sequence[int] = (),
    half: str | None = None,
) -> Study:
    """A part of a study: some of its recipes (or others, by name or file), marks and seeds.

    half: of the held-out images, for the instruments that compare with one; the study is then
    called after it. What is left out stays as it is. UserError for what the study cannot have.
    """
    values = study.model_dump()
    if recipes:
        known = {entry.label: entry.model_dump() for entry in study.recipes}
        values["recipes"] = [known.get(name, {"recipe": name}) for name in recipes]
        labels = [entry.get("name") or Path(entry["recipe"]).stem for entry in values["recipes"]]
        if study.baseline and study.baseline.recipe not in labels:
            values["baseline"] = None
    if marks and study.marks:
        found = [int(mark) for mark in marks] if study.marks.iterations else list(marks)
        values["marks"] = {study.marks.unit: found}
    if seeds:
        values["seeds"] = list(seeds)
    if half is not None:
        values["name"] = f"{study.name}-{half}"
        for instrument in (values["evaluation"], *values["evaluation"].get("beside", {}).values()):
            if instrument.get("half"):
                instrument["half"] = half
    try:
        return Study.model_validate(values)
    except ValidationError as error:
        raise UserError(f"Study {study.name}: {sentence(error, Study)}") from error


def _with_settings(study: Study, settings: Settings) -> Study:
    """A study with dotted keys of all its recipes set."""
    sets = [*(entry.set for entry in study.recipes), *study.variants.values()]
    sets += [study.space.axes] if study.space else []
    varied = {key for one in sets for key in one}
    for key in settings:
        if key in varied:
            raise UserError(
                f"Study {study.name} varies {key} itself, so it cannot be set for all runs; write "
                "a study file of your own."
            )
    steps = {"steps": None} if "training.steps" in settings else {}
    budget = study.budget.model_copy(update=steps)
    return study.model_copy(update={"set": {**study.set, **settings}, "budget": budget})


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


def _read(study: str | Path, seen: tuple[str, ...] = ()) -> tuple[dict[str, Any], str]:
    """The keys of a study over those of the one that it extends, and how it is called."""
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
    own = read_mapping(text, f"The study {study}")
    parent = own.pop("extends", None)
    if parent is None:
        return own, label
    if parent in seen:
        raise UserError(f"The studies {' -> '.join(seen)} extend each other in a circle.")
    values, _ = _read(str(parent), (*seen, str(parent)))
    for key in ("name", "title", "source", "about"):
        values.pop(key, None)
    return {**values, **own}, label
