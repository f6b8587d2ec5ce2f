"""Recipes and data sets, whether they are given whole or by name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtgan.data import Dataset, load_dataset
from mtgan.errors import UserError
from mtgan.limits import LARGEST_STEP, check_number
from mtgan.recipes import Recipe, load_recipe
from mtgan.text import file_name


def as_recipe(
    recipe: Recipe | str | Path,
    scale: str = "full",
    steps: int | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Recipe:
    """A recipe as it is, or by its name or file; arguments as of load_recipe, and training.steps.

    UserError where what is whole is asked to shrink, or the name is none.
    """
    if steps is not None and "training.steps" in (overrides or {}):
        raise UserError("steps and training.steps mean the same; give one of them.")
    if not isinstance(recipe, Recipe):
        values = dict(overrides or {})
        return load_recipe(
            recipe, values if steps is None else {**values, "training.steps": steps}, scale
        )
    if scale != "full" or overrides:
        raise UserError(
            f"The recipe {recipe.name} is whole; give scale and overrides to load_recipe, or name "
            "the recipe here."
        )
    if steps is None:
        return recipe
    check_number("steps", steps, 1, LARGEST_STEP)
    training = recipe.training.model_copy(update={"steps": steps})
    return recipe.model_copy(update={"training": training})


def as_data(data: Dataset | str | Path, recipe: Recipe) -> Dataset:
    """A data set as it is, or by its name or path, as the recipe's `data` asks for it."""
    if isinstance(data, Dataset):
        return data
    return load_dataset(data, **recipe.data.loading)


def usual_folder(recipe: str, data: str, seed: int) -> Path:
    """Where a run goes that is given no folder."""
    return Path("runs") / file_name(f"{recipe}-{data}-s{seed}")
