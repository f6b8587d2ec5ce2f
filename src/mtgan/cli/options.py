"""Options that several verbs share, and what they mean."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtgan.limits import LARGEST_COUNT, LARGEST_SEED, LARGEST_STEP

if TYPE_CHECKING:
    from mtgan.data import Dataset
    from mtgan.recipes import Recipe
    from mtgan.recipes.schema import Data

DataName = Annotated[
    str | None, typer.Option("--data", help="A data set by name (mtgan data list), or a path.")
]
Root = Annotated[
    Path | None, typer.Option(help="The folder in which a named data set's files lie.")
]
TaxonomyFile = Annotated[
    Path | None, typer.Option("--taxonomy", help="YAML file {level: {class: parent}}.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a recipe key; repeatable."),
]
ScaleName = Annotated[
    str, typer.Option("--scale", help="tiny, small or full: widths, batch and steps.")
]
Seed = Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of everything random.")]
Samples = Annotated[int, typer.Option("--n", min=1, max=LARGEST_COUNT, help="How many samples.")]
Steps = Annotated[
    int | None,
    typer.Option(min=1, max=LARGEST_STEP, help="Iterations; overrides the recipe's."),
]


Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on from the run's newest checkpoint, if there is one; --resume RUN is enough.",
    ),
]
MaxTime = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="End after 90s, 10m or 2h (a classifier with the epoch), measured and saved.",
    ),
]
Log = Annotated[
    str | None,
    typer.Option(
        "--log",
        metavar="NAMES",
        help="Who follows it beside TensorBoard: wandb,mlflow,trackio. The run's if left out.",
    ),
]
ImageSize = Annotated[str | None, typer.Option(help="One side (32) or HxW (64x128).")]
Json = Annotated[bool, typer.Option("--json", help="Print the result for machines.")]
CardFile = Annotated[
    Path | None, typer.Option("--json", help="Write the scorecard as JSON; - prints it.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]


def _step(text: str) -> str:
    """An iteration, or best; as text, since a default may be neither."""
    if text != "best" and not (text.isdecimal() and int(text) <= LARGEST_STEP):
        raise typer.BadParameter(
            f"{text!r} is not best, nor a whole number from 0 to {LARGEST_STEP:,}."
        )
    return text


Checkpoint = Annotated[
    str | None,
    typer.Option(
        "--step",
        metavar="STEP",
        parser=_step,
        help="The checkpoint's iteration, or best; the newest when left out.",
    ),
]


Twin = Annotated[
    str | None,
    typer.Option(
        "--twin", metavar="NAME", help="One of a run's twins, as coarse; the first when left out."
    ),
]


def as_step(step: str | None) -> int | str | None:
    """What --step says, as runs take it."""
    return int(step) if step and step != "best" else step


def given(context: typer.Context, *names: str) -> list[str]:
    """Which of these parameters stand on the command line, as users write them."""
    found = []
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in names and source is not None and source.name == "COMMANDLINE":
            off = context.params.get(parameter.name) is False and parameter.secondary_opts
            found.append(parameter.secondary_opts[0] if off else parameter.opts[0])
    return found


def parse_time(option: str, text: str) -> float:
    """Seconds of 90s, 10m, 1.5h or 2d; UserError for anything else."""
    from mtgan.errors import UserError

    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", text.strip().lower())
    if found is None or not float(found[1]):
        raise UserError(f"{option} should be a time like 90s, 10m or 2h; found {text!r}.")
    return float(found[1]) * seconds[found[2]]


def parse_log(text: str | None) -> list[str] | None:
    """Names of trackers; None where the option is left out."""
    from mtgan.plugins import split_names

    return None if text is None else split_names([text])


def check_free(path: Path | None, force: bool) -> None:
    """UserError where a file would be overwritten; before anything is computed."""
    from mtgan.errors import UserError

    if path is not None and str(path) != "-" and path.exists() and not force:
        raise UserError(f"{path} exists already: give another name, or --force")


def read_recipe(
    name: str,
    overrides: list[str] | None,
    scale: str,
    steps: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> "Recipe":
    """The recipe with its overrides, which win over the settings; --steps is training.steps."""
    from mtgan.errors import UserError
    from mtgan.recipes import load_recipe
    from mtgan.recipes.load import parse_overrides

    values = parse_overrides(overrides or [])
    if steps is not None:
        if "training.steps" in values:
            raise UserError("--steps and --set training.steps mean the same; give one of them.")
        values["training.steps"] = steps
    return load_recipe(name, {**(settings or {}), **values}, scale)


def read_data(
    name: str, part: "Data", root: Path | None = None, taxonomy: Path | None = None
) -> "Dataset":
    """The data set as a recipe's `data` part asks for it."""
    from mtgan.data import load_dataset

    return load_dataset(name, root=root, taxonomy=taxonomy, **part.loading)


def tell_notes(data: "Dataset", quiet: bool) -> None:
    """Print how a data set was read, and what is odd about it, as `mtgan data info` does."""
    from mtgan import processes
    from mtgan.text import printable

    if quiet or not processes.is_first():
        return
    for kind, sentences in (("note", data.notes), ("warning", data.warnings())):
        for sentence in sentences:
            print(printable(f"{kind}: {sentence}"))
