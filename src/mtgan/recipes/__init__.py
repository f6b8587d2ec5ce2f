"""Recipes: what is trained, as short YAML files over orthogonal parts."""

from mtgan.recipes.describe import Description, describe
from mtgan.recipes.load import RecipeEntry, dump_recipe, list_recipes, load_recipe
from mtgan.recipes.schema import Recipe

__all__ = [
    "Description",
    "Recipe",
    "RecipeEntry",
    "describe",
    "dump_recipe",
    "list_recipes",
    "load_recipe",
]
