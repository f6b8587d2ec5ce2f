"""Recipes: what is trained, as short YAML files over orthogonal parts."""

from mtgan.recipes.load import RecipeEntry, dump_recipe, list_recipes, load_recipe
from mtgan.recipes.schema import Recipe

__all__ = ["Recipe", "RecipeEntry", "dump_recipe", "list_recipes", "load_recipe"]
