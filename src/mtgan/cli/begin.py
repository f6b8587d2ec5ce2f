"""The one command with which a training on a data set begins, how long it takes, and what to
expect of it: the end of `mtgan data info`."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtgan.text import command

if TYPE_CHECKING:
    from mtgan.data import Dataset
    from mtgan.recipes import Recipe

SCALE = "tiny"
_EXPECTED = (
    "Of 800 color photographs of 32 x 32 pixels in 10 classes, 10,000 iterations gave backgrounds, "
    "colors and at times the outline of the class, and nothing sharp: docs/data.md, Few images, "
    "has the picture and the figures."
)


@dataclass(frozen=True)
class NamedData:
    """A data set as it was named on the command line."""

    name: str
    root: Path | None = None
    size: str | None = None
    channels: int | None = None
    taxonomy: Path | None = None


@dataclass(frozen=True)
class Beginning:
    """The command to paste, the recipe that it resolves to, and sentences about it."""

    command: str
    recipe: "Recipe"
    notes: tuple[str, ...]


def beginning(source: NamedData, train: "Dataset", settings: Mapping[str, Any]) -> Beginning:
    """How to begin on a data set.

    settings: the recipe's name, and keys of it that follow from the labels.
    """
    from mtgan.recipes import load_recipe

    name = settings["recipe"]
    plain = load_recipe(name, scale=SCALE)
    # The size that was found need not be asked for.
    apart = {"recipe", "data.size"}
    wanted = {k: value for k, value in settings.items() if k not in apart and value is not None}
    wanted |= _of_the_data(source)
    if len(train) < plain.training.batch_size:
        wanted["training.batch_size"] = max(2, len(train))
    # What the recipe says already need not be said.
    wanted = {key: value for key, value in wanted.items() if not _says(plain, key, value)}
    words: list[object] = ["mtgan", "train", name, "--data", source.name, "--scale", SCALE]
    for option, given in (("root", source.root), ("taxonomy", source.taxonomy)):
        words += [f"--{option}", given] if given is not None else []
    for key, value in wanted.items():
        words += ["--set", f"{key}={_as_yaml(value)}"]
    notes = []
    if "data.flip" in wanted:
        notes.append("Leave data.flip out where left and right matter, as in signs and letters.")
        notes.append(_EXPECTED)
    return Beginning(command(*words), load_recipe(name, wanted, SCALE), tuple(notes))


def time_needed(recipe: "Recipe", train: "Dataset") -> str:
    """How long it takes on this machine, and how that is known."""
    from mtgan.training.pace import seconds_per_iteration

    seconds = seconds_per_iteration(recipe, train)
    steps = recipe.training.steps
    minutes = seconds * steps / 60
    shown = f"{minutes:,.0f} minutes" if minutes >= 2 else f"{60 * minutes:,.0f} seconds"
    if minutes >= 120:
        shown = f"{minutes / 60:,.0f} hours"
    return (
        f"About {shown} for {steps:,} iterations on this machine, going by a few of them "
        f"({seconds:.2g} s each) just now; the judge's training and evaluations come on top."
    )


def _of_the_data(source: NamedData) -> dict[str, Any]:
    """Keys that read the data as they were asked for."""
    from mtgan.data.load import parse_size

    size = parse_size(source.size)
    found: dict[str, Any] = {}
    if size:
        found["data.size"] = f"{size[0]}x{size[1]}" if size[0] != size[1] else size[0]
    if source.channels:
        found["data.channels"] = source.channels
    return found


def _says(recipe: "Recipe", key: str, value: Any) -> bool:
    """Whether a recipe has this value at a dotted key."""
    found: Any = recipe.model_dump(mode="json")
    for part in key.split("."):
        found = found[part]
    return bool(found == value)


def _as_yaml(value: Any) -> str:
    """A value on one line, with no more quotation marks than it needs."""
    from mtgan.files import parse_yaml

    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_as_yaml(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_as_yaml, value))}]"
    if isinstance(value, str) and re.fullmatch(r"[\w-]+", value) and parse_yaml(value, "") == value:
        return value
    return json.dumps(value, ensure_ascii=False)
