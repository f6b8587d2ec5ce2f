"""`mtgan recipes`: the zoo."""

from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Annotated

import typer

from mtgan.cli.app import app, print_json
from mtgan.cli.options import Overrides, Root, ScaleName, TaxonomyFile, given

if TYPE_CHECKING:
    from mtgan.data import Dataset
    from mtgan.recipes import Recipe

recipes = typer.Typer(help="The zoo of recipes: list them, or show one in full.")
app.add_typer(recipes, name="recipes")


@recipes.callback(invoke_without_command=True)
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        show_list(context, as_json=False)


@recipes.command("list")
def show_list(
    context: typer.Context,
    data: Annotated[
        str | None, typer.Option("--data", help="Count parameters for this data set.")
    ] = None,
    root: Root = None,
    taxonomy: TaxonomyFile = None,
    scale: ScaleName = "full",
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Every recipe and what distinguishes it, as in Table 4.1 of the thesis.

    With --data, also the number of parameters of each network there; a recipe that asks for label
    levels which the data set lacks has none.
    """
    from mtgan.errors import UserError
    from mtgan.recipes import describe, list_recipes

    if data is None and (odd := given(context, "root", "taxonomy")):
        raise UserError(f"{' and '.join(odd)} belongs to --data; give both, or neither.")
    entries = list_recipes(scale)
    rows = [asdict(describe(entry.recipe)) for entry in entries]
    if data is not None:
        from mtgan.cli.options import read_data

        read = cache(lambda part: read_data(data, part, root, taxonomy))
        for row, entry in zip(rows, entries, strict=True):
            row["parameters"] = _parameters(entry.recipe, read(entry.recipe.data))
    if as_json:
        for row, entry in zip(rows, entries, strict=True):
            row |= entry.recipe.model_dump(include={"source", "about"})
        print_json(rows)
        return
    from rich.table import Table

    from mtgan.text import console

    table = Table(*(name.replace("multitask", "MTL") for name in rows[0]))
    for row in rows:
        table.add_row(*map(_cell, row.values()))
    console().print(table)


def _parameters(recipe: "Recipe", data: "Dataset") -> dict[str, int] | str:
    """Parameters by network, or why there are none."""
    from mtgan.errors import UserError
    from mtgan.training import count_parameters

    try:
        return count_parameters(recipe, data)
    except UserError as error:
        return str(error)


def _cell(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else ""
        case tuple():
            return ", ".join(value)
        case dict():
            return "\n".join(f"{name} {_short(count)}" for name, count in value.items())
        case _:
            return str(value)


def _short(count: int) -> str:
    return f"{count / 1e6:.2f}M" if count >= 1e5 else f"{count / 1e3:.1f}k"


@recipes.command()
def show(
    name: Annotated[str, typer.Argument(help="A recipe of the zoo, or a YAML file.")],
    overrides: Overrides = None,
    scale: ScaleName = "full",
) -> None:
    """One recipe fully resolved, as YAML that is itself a valid recipe."""
    from mtgan.cli.options import read_recipe
    from mtgan.recipes import dump_recipe

    print(dump_recipe(read_recipe(name, overrides, scale)), end="")
