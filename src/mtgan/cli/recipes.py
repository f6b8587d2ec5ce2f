"""`mtgan recipes`: the zoo."""

import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtgan.cli.app import app, print_json, say
from mtgan.cli.options import (
    Force,
    Json,
    Overrides,
    Root,
    ScaleName,
    TaxonomyFile,
    check_free,
    given,
)

if TYPE_CHECKING:
    from rich.table import Table

    from mtgan.classification.schema import ClassifierRecipe
    from mtgan.data import Dataset
    from mtgan.nets.layers import NetworkLayers
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
    as_json: Json = False,
) -> None:
    """Every recipe and what distinguishes it, as in Table 4.1 of the thesis; classifiers, too.

    A table where the terminal is wide enough, else a few lines for each. With --data, also the
    number of parameters of each GAN's networks there; a recipe that asks for label levels which
    the data set lacks has none.
    """
    from mtgan.classification.schema import CLASSIFIERS
    from mtgan.errors import UserError
    from mtgan.recipes import describe, list_recipes

    if data is None and (odd := given(context, "root", "taxonomy")):
        raise UserError(f"{' and '.join(odd)} belongs to --data; give both, or neither.")
    entries = list_recipes(scale)
    rows = [asdict(describe(entry.recipe)) for entry in entries]
    if data is not None:
        from mtgan.cli.options import read_data

        parts = {entry.recipe.data.model_dump_json(): entry.recipe.data for entry in entries}
        read = {key: read_data(data, part, root, taxonomy) for key, part in parts.items()}
        for row, entry in zip(rows, entries, strict=True):
            found = read[entry.recipe.data.model_dump_json()]
            row["parameters"] = _parameters(entry.recipe, found)
    classifiers = [CLASSIFIERS.load(name) for name in CLASSIFIERS.names()]
    if as_json:
        for row, entry in zip(rows, entries, strict=True):
            row |= {"kind": "gan", **entry.recipe.model_dump(include={"source", "about"})}
        told = {"name", "title", "source", "about"}
        print_json(
            rows
            + [{"kind": "classifier", **recipe.model_dump(include=told)} for recipe in classifiers]
        )
        return
    from mtgan.text import console

    terminal = console()
    if terminal.width >= _WIDE:
        terminal.print(_table(rows))
    else:
        say(_paragraphs(rows, terminal.width))
    say()
    say("Classifiers (mtgan classify):")
    say(_paragraphs([_of_classifier(recipe) for recipe in classifiers], terminal.width))


_NAMED = {"classifier", "conditioning", "levels", "parameters"}
_WIDE = 140  # columns, from which the table is not folded


def _table(rows: list[dict[str, Any]]) -> "Table":
    from rich.table import Table

    table = Table(*(name.replace("multitask", "MTL") for name in rows[0]))
    for row in rows:
        table.add_row(*map(_cell, row.values()))
    return table


def _paragraphs(rows: list[dict[str, Any]], width: int) -> str:
    """Name and title of each, and under them what distinguishes it, folded at the width."""
    lines = []
    for row in rows:
        lines.append(f"{row['name']}  {row['title']}")
        said = [
            f"{name}: {text}" if name in _NAMED else text
            for name, value in row.items()
            if name not in {"name", "title", "multitask"}
            and (text := _cell(value).replace("\n", ", "))
        ]
        folded = textwrap.wrap("; ".join(said), max(20, width - 5), break_on_hyphens=False)
        lines += [f"    {line}" for line in folded]
    return "\n".join(lines)


def _of_classifier(recipe: "ClassifierRecipe") -> dict[str, Any]:
    return {"name": recipe.name, "title": recipe.title, "about": recipe.about}


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
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A recipe of the zoo, or a YAML file.")],
    overrides: Overrides = None,
    scale: ScaleName = "full",
    layers: Annotated[
        bool, typer.Option("--layers", help="The networks, layer by layer, on the set --data.")
    ] = False,
    data: Annotated[str | None, typer.Option("--data", help="The data set of --layers.")] = None,
    root: Root = None,
    taxonomy: TaxonomyFile = None,
    diagram: Annotated[
        Path | None,
        typer.Option(help="Draw its players and phases, or its --layers: a file, .svg or .png."),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """One recipe of a GAN or a classifier, fully resolved, as YAML that is itself a recipe; or its
    networks, as in Tables 4.3 and D.1 of the thesis; or a picture of it, as in its figures."""
    from mtgan.errors import UserError
    from mtgan.recipes import dump_recipe

    if not layers and (odd := given(context, "data", "root", "taxonomy")):
        raise UserError(f"{' and '.join(odd)} belongs to --layers; give both, or neither.")
    check_free(diagram, force)
    recipe = _read(name, overrides, scale)
    networks = _networks(recipe, data, root, taxonomy) if layers else None
    if diagram is not None:
        _draw(recipe, networks, diagram)
        if not as_json:
            say(f"wrote {diagram}")
            return
    if as_json:
        print_json(_values(recipe, networks))
    elif networks is not None:
        _show_networks(networks)
    else:
        print(dump_recipe(recipe), end="")


def _read(name: str, overrides: list[str] | None, scale: str) -> "Recipe | ClassifierRecipe":
    from mtgan.classification.schema import CLASSIFIERS, load_classifier_recipe
    from mtgan.cli.options import read_recipe
    from mtgan.errors import UserError
    from mtgan.recipes.load import parse_overrides

    if not _is_classifier(name, CLASSIFIERS.names()):
        return read_recipe(name, overrides, scale)
    if scale != "full":
        raise UserError(f"{name} is a classifier's recipe, which has no --scale; leave it out.")
    return load_classifier_recipe(name, parse_overrides(overrides or []))


def _is_classifier(name: str, known: list[str]) -> bool:
    """Whether a recipe of this name, or file, is one of `mtgan classify`."""
    from mtgan.files import read_yaml

    path = Path(name)
    if path.suffix not in {".yaml", ".yml"} or not path.is_file():
        return name in known
    values = read_yaml(path, "The recipe")
    return isinstance(values, dict) and ("network" in values or values.get("extends") in known)


# Networks, layer by layer


def _networks(
    recipe: "Recipe | ClassifierRecipe", data: str | None, root: Path | None, taxonomy: Path | None
) -> "list[NetworkLayers]":
    from mtgan.cli.options import read_data
    from mtgan.errors import UserError
    from mtgan.recipes import Recipe

    if data is None:
        raise UserError(
            "--layers needs the size and the classes of samples: add --data DATA (mtgan data list)."
        )
    if isinstance(recipe, Recipe):
        from mtgan.training import network_layers

        return network_layers(recipe, read_data(data, recipe.data, root, taxonomy))
    from mtgan.classification import classifier_layers
    from mtgan.classification.tasks import load_data

    return [classifier_layers(recipe, load_data(data, recipe.data, root, taxonomy))]


def _values(
    recipe: "Recipe | ClassifierRecipe", networks: "list[NetworkLayers] | None"
) -> dict[str, Any]:
    """What --json prints."""
    if networks is None:
        return recipe.model_dump(mode="json")
    return {"recipe": recipe.name, "networks": [asdict(network) for network in networks]}


def _draw(
    recipe: "Recipe | ClassifierRecipe", networks: "list[NetworkLayers] | None", out: Path
) -> None:
    from mtgan.errors import UserError
    from mtgan.lettering import save_figure
    from mtgan.recipes import Recipe

    if networks is not None:
        from mtgan.training.layer_diagram import layer_diagram

        save_figure(layer_diagram(recipe.title or recipe.name, recipe.source, networks), out)
    elif isinstance(recipe, Recipe):
        from mtgan.recipes.diagram import diagram

        save_figure(diagram(recipe), out)
    else:
        raise UserError(
            f"{recipe.name} is a classifier's recipe, which has one player; draw its layers: add "
            "--layers --data DATA."
        )


def _show_networks(networks: "list[NetworkLayers]") -> None:
    from mtgan.text import console

    for network in networks:
        console().print(_layer_table(network))


def _layer_table(network: "NetworkLayers") -> "Table":
    from rich.table import Table

    title = f"{network.name}: {network.parameters:,} parameters"
    table = Table(title=title, title_justify="left")
    for column in ("layer", "computes", "output"):
        table.add_column(column)
    table.add_column("parameters", justify="right")
    for layer in network.layers:
        shared = f" (shared with {', '.join(layer.shared_with)})" if layer.shared_with else ""
        size = " x ".join(map(str, layer.output or (1,)))
        table.add_row(layer.name, "; ".join(layer.parts) + shared, size, f"{layer.parameters:,}")
    return table
