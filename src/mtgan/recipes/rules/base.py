"""What a rule is, and all of them asked in turn."""

import warnings
from collections.abc import Callable

from mtgan.errors import UserError
from mtgan.recipes.schema import Recipe

Rule = Callable[[Recipe], str | None]
_REFUSALS: list[Rule] = []
_WARNINGS: list[Rule] = []


class RecipeWarning(UserWarning):
    """A recipe that can be trained, but probably should not be."""


def check(recipe: Recipe) -> None:
    """Raise UserError for the first refusal that applies; warn of the rest."""
    for rule in _REFUSALS:
        if reason := rule(recipe):
            raise UserError(f"Recipe {recipe.name}: {reason}")
    for rule in _WARNINGS:
        if reason := rule(recipe):
            warnings.warn(f"Recipe {recipe.name}: {reason}", RecipeWarning, stacklevel=3)


def refusal(rule: Rule) -> Rule:
    _REFUSALS.append(rule)
    return rule


def warning(rule: Rule) -> Rule:
    _WARNINGS.append(rule)
    return rule
