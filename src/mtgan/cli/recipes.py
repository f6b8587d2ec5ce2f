"""`mtgan recipes`: the zoo."""

from typing import Annotated

import typer

from mtgan.cli.app import app, print_json
from mtgan.cli.options import Overrides, ScaleName

recipes = typer.Typer(help="The zoo of recipes: list them, or show one in full.")
app.add_typer(recipes, name="recipes")


@recipes.callback(invoke_without_command=True)
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        show_list(as_json=False)


@recipes.command("list")
def show_list(
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Every recipe, one line each."""
    from mtgan.recipes import list_recipes

    entries = list_recipes()
    if as_json:
        print_json(
            [e.recipe.model_dump(include={"name", "title", "source", "about"}) for e in entries]
        )
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("recipe", "title", "objective", "penalty", "about", "source")
    for entry in entries:
        r = entry.recipe
        table.add_row(r.name, r.title, r.objective, r.penalty.kind, r.about, r.source)
    Console().print(table)


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
