"""The twins of a run by their names, and what is logged of each.

A twin is called by its label level, as the recipe's `twins` has it; the first is the main one. What
its players log bears its name behind theirs (generator/coarse/loss), and what an evaluation finds
of any but the main one bears it in front (coarse/frechet_distance).
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.recipes import Recipe
from mtgan.registry import nearest
from mtgan.text import file_name
from mtgan.training.dataset_info import DatasetInfo

FOLDER = "twins"
"""Of a run, in which each twin but the main one has a folder of its own."""


def twin_called(asked: str | None, recipe: Recipe, info: DatasetInfo) -> str | None:
    """The twin that is meant, by the recipe's name for it; the main one where none is asked for,
    and None where there are no twins.

    UserError for one that the recipe does not have.
    """
    if asked is None:
        return next(iter(recipe.twins), None)
    if not recipe.twins:
        raise UserError(
            f"Recipe {recipe.name} trains no twins, so there is no twin {asked!r} to ask; leave "
            "the twin out."
        )
    level = info.level_called(asked)
    meant = [twin for twin in recipe.twins if level and info.level_called(twin) == level]
    if asked not in recipe.twins and not meant:
        raise UserError(
            f"Recipe {recipe.name} has no twin {asked!r}: {nearest(asked, recipe.twins)}"
        )
    return asked if asked in recipe.twins else meant[0]


def own_level(recipe: Recipe, info: DatasetInfo, twin: str | None) -> str | None:
    """The level of a twin that learns from samples of its own alone, those that have a label there:
    where no sample has one of its level and of another twin's, as in image sets side by side. None
    where it learns from all samples, as where labels refine one another, or are missing here and
    there.
    """
    own, *others = (
        info.level_called(name)
        for name in (twin or "", *(other for other in recipe.twins if other != twin))
    )
    apart = own and any(other and info.never_together(own, other) for other in others)
    return own if apart else None


def own_levels(recipe: Recipe, data: Dataset) -> dict[str, str | None]:
    """The `own_level` of each twin of a recipe on such data."""
    info = DatasetInfo.of(data).with_numbers()
    return {twin: own_level(recipe, info, twin) for twin in recipe.twins}


def own_samples(data: Dataset, level: str | None) -> Dataset:
    """Of data those that a twin of this `own_level` learns from, or is judged against: all where it
    is None, and of other data, which do not have that level."""
    if level is None or level not in data.taxonomy.levels:
        return data
    return data.of_classes({level: data.taxonomy.classes[level]})


def parts_of(recipe: Recipe, data: Dataset) -> list[Dataset]:
    """What the twins of a recipe are judged against of such data: the parts that are their own, or
    the whole where one of them, or a single GAN, learns from all."""
    levels = own_levels(recipe, data).values() or [None]
    return [own_samples(data, level) for level in dict.fromkeys(levels)]


def folder_of(run: Path, recipe: Recipe, twin: str | None) -> Path:
    """Where what is made of a twin lies: in the run's own folder for the main one, and for a run
    without twins."""
    return run if twin in {None, *recipe.twins[:1]} else run / FOLDER / file_name(str(twin))


def evaluated_name(recipe: Recipe, twin: str | None, name: str) -> str:
    """As what is called the name of a twin's value in an evaluation is logged."""
    return name if twin in {None, *recipe.twins[:1]} else f"{twin}/{name}"


def own_lines(
    lines: Iterable[Mapping[str, Any]], recipe: Recipe, twin: str
) -> list[dict[str, Any]]:
    """Lines of a log as one GAN would have logged them that is this twin, by names without it; the
    other twins' values and protocols are left out, and lines that hold nothing else."""
    own = (_own_line(line, recipe, twin) for line in lines)
    return [line for line in own if line["values"]]


def _own_line(line: Mapping[str, Any], recipe: Recipe, twin: str) -> dict[str, Any]:
    own = {**line, "values": own_values(line, recipe, twin)}
    protocol = own.pop("twins_protocol", {}).get(twin)
    return own if protocol is None else {**own, "protocol": protocol}


def own_values(line: Mapping[str, Any], recipe: Recipe, twin: str) -> dict[str, float]:
    """The values of a line that are this twin's or of no twin, by names without it."""
    name_of = _evaluated if line["kind"] == "evaluation" else _moved
    named = ((name_of(name, recipe, twin), value) for name, value in line["values"].items())
    return {name: value for name, value in named if name is not None}


def _moved(name: str, recipe: Recipe, twin: str) -> str | None:
    """What a player's value is called without the twin's name; None where it is another twin's."""
    separate = [f"classifier/{task.labels}" for task in recipe.tasks if not task.is_head]
    for player in ("generator", "discriminator", "log_loss_ratio", "after_updates", *separate):
        for other in _longest_first(recipe.twins):
            if f"{name}/".startswith(f"{player}/{other}/"):
                rest = name.removeprefix(f"{player}/{other}")
                return f"{player}{rest}" if other == twin else None
    return name


def _evaluated(name: str, recipe: Recipe, twin: str) -> str | None:
    """The same of what an evaluation has found."""
    main, *others = recipe.twins
    for other in _longest_first(others):
        if name.startswith(f"{other}/"):
            return name.removeprefix(f"{other}/") if other == twin else None
    return name if twin == main else None


def _longest_first(names: Sequence[str]) -> list[str]:
    """A name may begin with another one and a slash."""
    return sorted(names, key=len, reverse=True)
