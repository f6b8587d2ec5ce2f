"""Options that several verbs share, and what they mean."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mtgan.data import Dataset
    from mtgan.recipes import Recipe
    from mtgan.recipes.schema import Data

DataName = Annotated[
    str, typer.Option("--data", help="A data set by name (mtgan data list), or a path.")
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
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]


def read_recipe(
    name: str, overrides: list[str] | None, scale: str, steps: int | None = None
) -> "Recipe":
    """The recipe with its overrides; --steps is training.steps, and wins."""
    from mtgan.recipes import load_recipe
    from mtgan.recipes.load import parse_override

    values = dict(parse_override(text) for text in overrides or [])
    if steps is not None:
        values["training.steps"] = steps
    return load_recipe(name, values, scale)


def read_data(
    name: str, part: "Data", root: Path | None = None, taxonomy: Path | None = None
) -> "Dataset":
    """The data set as a recipe's `data` part asks for it."""
    from mtgan.data import load_dataset

    return load_dataset(
        name,
        root=root,
        size=part.size,
        subset=part.subset,
        stratified=part.stratified,
        taxonomy=taxonomy,
    )


def tell_notes(data: "Dataset", quiet: bool) -> None:
    """Print how a data set was read, and what is odd about it, as `mtgan data info` does."""
    from mtgan import processes
    from mtgan.text import printable

    if quiet or not processes.is_first():
        return
    for kind, sentences in (("note", data.notes), ("warning", data.warnings())):
        for sentence in sentences:
            print(printable(f"{kind}: {sentence}"))
