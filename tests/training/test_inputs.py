"""Recipes and data sets, whole or by name."""

import pytest

from mtgan.errors import UserError
from mtgan.training.inputs import as_data, as_recipe
from toys import small_recipe


def test_whole_things_are_not_changed_by_names_options() -> None:
    recipe = small_recipe("gan")
    assert as_recipe(recipe) is recipe
    assert as_recipe(recipe, steps=7).training.steps == 7
    assert as_recipe("gan", "tiny", 7).training.steps == 7
    for options in ({"scale": "tiny"}, {"overrides": {"latent.dim": 3}}):
        with pytest.raises(UserError, match="is whole"):
            as_recipe(recipe, **options)
    with pytest.raises(UserError, match="steps should be from 1"):
        as_recipe(recipe, steps=0)
    with pytest.raises(UserError, match="mean the same"):
        as_recipe("gan", steps=3, overrides={"training.steps": 4})
    few = {"data__classes": {"fine": "3"}, "data__subset": 20, "data__labeled": 5}
    data = as_data("digits", small_recipe("gan", **few))
    assert (len(data), int((data.labels[:, 0] == 3).sum())) == (20, 5)
    half = as_data("digits", small_recipe("gan", data__subset=0.5, data__size=4))
    assert (len(half), half.shape) == (719, (1, 4, 4))
