"""Recipes: their diagrams, their networks layer by layer, their keys, their phases."""

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from mtgan.data import Dataset, Taxonomy
from mtgan.lettering import save_figure
from mtgan.recipes import load_recipe
from mtgan.recipes.describe import describe
from mtgan.recipes.diagram import diagram
from mtgan.recipes.players import cast_of
from mtgan.reproduction.forms import FORMS, Drawn, Table, with_counts
from mtgan.reproduction.material import Fact
from mtgan.reproduction.schema import Asks, Name

if TYPE_CHECKING:
    from mtgan.reproduction.material import Material


class DiagramOptions(Asks):
    """recipes: a picture each."""

    recipes: Annotated[list[Name], Field(min_length=1)]


class Diagrams:
    """Players, what flows between them, and phases, drawn from the recipe."""

    options = DiagramOptions

    def draw(self, options: DiagramOptions, material: "Material") -> Drawn:
        files = [
            save_figure(diagram(load_recipe(name)), material.out / f"{name}.png")
            for name in options.recipes
        ]
        return Drawn(tuple(files), counts={"pictures": len(files)})


class LayerOptions(Asks):
    """outputs: what the source prints, by recipe and network: the shape after each layer."""

    recipes: Annotated[list[Name], Field(min_length=1)]
    outputs: dict[str, dict[str, list[str]]] = {}


class Layers:
    """Each network layer by layer, on images 3 x 32 x 32 of 100 classes in 20, as CIFAR-100's."""

    options = LayerOptions

    def draw(self, options: LayerOptions, material: "Material") -> Drawn:
        from mtgan.training import network_layers

        rows = []
        for name in options.recipes:
            printed = options.outputs.get(name, {})
            for network in network_layers(load_recipe(name), as_cifar100()):
                shapes = [" x ".join(map(str, layer.output or (1,))) for layer in network.layers]
                for layer, shape in zip(network.layers, shapes, strict=True):
                    computes = "; ".join(layer.parts)
                    title = f"{name}: {network.name}"
                    rows.append((title, layer.name, computes, shape, f"{layer.parameters:,}"))
                if network.name in printed:
                    ours = " | ".join(shapes[: len(printed[network.name])])
                    theirs = " | ".join(printed[network.name])
                    material.facts.append(Fact(f"{name}, {network.name}", ours, theirs))
        return with_counts(Table(("network", "layer", "computes", "output", "parameters"), rows))


class KeyOptions(Asks):
    """keys: by the source's name of a value, the recipe, its key, and what is printed."""

    keys: Annotated[dict[str, tuple[Name, Name, Any]], Field(min_length=1)]


class Keys:
    """Values of recipes beside those that the source prints."""

    options = KeyOptions

    def draw(self, options: KeyOptions, material: "Material") -> Drawn:
        return with_counts(_keys(options.keys, material))


class AlgorithmOptions(Asks):
    """recipe: whose phases are listed; keys: as of `keys`, of this recipe."""

    recipe: Name
    keys: dict[str, tuple[Name, Any]] = {}


class Algorithm:
    """A recipe's phases in words: whose turn it is, how often, and by which losses."""

    options = AlgorithmOptions

    def draw(self, options: AlgorithmOptions, material: "Material") -> Drawn:
        phases = cast_of(load_recipe(options.recipe)).phases
        rows = [
            (f"{number}: {phase.name}", phase.when, f"{' and '.join(phase.moves)} by {loss}", "")
            for number, phase in enumerate(phases, 1)
            for loss in phase.losses
        ]
        keys = {name: (options.recipe, *rest) for name, rest in options.keys.items()}
        found = _keys(keys, material)
        rows += [(name, key, ours, theirs) for name, _, key, ours, theirs in found.rows]
        return with_counts(Table(("step", "when, or key", "what, or ours", "source"), rows))


class DescribeOptions(Asks):
    """recipes: a row each."""

    recipes: Annotated[list[Name], Field(min_length=1)]


class Overview:
    """What distinguishes recipes, as the thesis's Table 4.1."""

    options = DescribeOptions

    def draw(self, options: DescribeOptions, material: "Material") -> Drawn:
        rows = []
        for name in options.recipes:
            found = describe(load_recipe(name))
            shared = "yes" if found.multitask else ""
            rows.append((found.title, shared, found.classifier, found.conditioning, found.other))
        columns = ("method", "MTL", "classifier type", "conditioning location", "other")
        return with_counts(Table(columns, rows))


def _keys(keys: dict[str, tuple[str, str, Any]], material: "Material") -> Table:
    rows = []
    for title, (recipe, key, theirs) in keys.items():
        ours = _plain(_at(load_recipe(recipe).model_dump(mode="json"), key))
        material.facts.append(Fact(title, ours, _plain(theirs)))
        rows.append((title, recipe, key, ours, _plain(theirs)))
    return Table(("", "recipe", "key", "ours", "source"), rows)


def _at(values: Any, key: str) -> Any:
    for part in key.split("."):
        values = values[int(part)] if isinstance(values, list) else values[part]
    return values


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float | int) else str(value)


def as_cifar100() -> Dataset:
    """Images of CIFAR-100's shape and numbers of classes, in which there is nothing."""
    fine = np.repeat(np.arange(100), 2)
    taxonomy = Taxonomy(
        ("fine", "coarse"),
        {
            "fine": tuple(f"class {index}" for index in range(100)),
            "coarse": tuple(f"superclass {index}" for index in range(20)),
        },
        {"fine": ("coarse", tuple(index // 5 for index in range(100)))},
    )
    images = np.zeros((len(fine), 3, 32, 32), np.uint8)
    return Dataset(images, np.stack([fine, fine // 5], axis=1), taxonomy)


FORMS.register("diagram")(Diagrams())
FORMS.register("layers")(Layers())
FORMS.register("keys")(Keys())
FORMS.register("algorithm")(Algorithm())
FORMS.register("overview")(Overview())
