"""The thesis's Table 4.1, derived from the recipes."""

import json

import pytest

from mtgan.recipes import describe, list_recipes, load_recipe

# name, MTL, classifier, conditioning: as printed in the thesis
TABLE = [
    ("wgan-gp", False, "", ""),
    ("cwgan-a", False, "", "G&D"),
    ("cwgan-b", False, "", "G&D"),
    ("ac-wgan-a", True, "1 auxiliary", "G&D"),
    ("ac-wgan-b", True, "2 auxiliary", "G&D"),
    ("ac-wgan-c", True, "2 auxiliary", "G&D"),
    ("sc-wgan-a", True, "1 separate", "G&C"),
    ("sc-wgan-b", True, "1 separate", "G&C"),
    ("sc-wgan-c", True, "2 separate", "G&C"),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_table_of_the_thesis(row: tuple[str, bool, str, str]) -> None:
    found = describe(load_recipe(row[0]))
    assert (found.name, found.multitask, found.classifier, found.conditioning) == row


def test_what_the_last_column_says() -> None:
    def other(name: str) -> str:
        return describe(load_recipe(name)).other

    assert other("cwgan-b") == "labels enter D by dense"
    assert other("ac-wgan-c") == "bifurcation 2"
    assert other("sc-wgan-b") == "discriminator and classifier/fine share 2 layers (soft)"
    assert other("mtl-wgan").startswith("2 twins; generator/fine and generator/coarse share 2")
    assert other("ac-wgan-random-hierarchy") == "hierarchy: random"
    assert other("tac-wgan-b") == "heads: twin"
    assert other("omni-gan") == "heads: real-fake omni"
    assert other("tree-wgan-b") == "heads: tree softmax"
    augmented = load_recipe("gan", {"discriminator.augmentation": ["color", "cutout"]})
    assert describe(augmented).other == "augmented by color, cutout"
    stages = [{"condition_on": "none", "until": 9}]
    scheduled = load_recipe("cwgan-a", {"schedule.conditioning": stages})
    assert describe(scheduled).other == "conditioning by a schedule"


def test_objectives_and_levels() -> None:
    assert describe(load_recipe("projection-gan")).objective == "hinge + spectral norm"
    assert describe(load_recipe("wgan")).objective == "wasserstein + clip"
    assert describe(load_recipe("mtl-wgan")).levels == ("fine", "coarse")
    assert describe(load_recipe("wgan-gp")).levels == ()


def test_every_recipe_says_what_it_is() -> None:
    for entry in list_recipes():
        assert entry.recipe.title
        assert entry.recipe.source
        assert entry.recipe.about.endswith(".")


def test_parameters_at_a_data_set(capsys) -> None:
    from mtgan.cli import main

    with pytest.raises(SystemExit) as end:
        main(["recipes", "list", "--data", "digits", "--scale", "tiny", "--json"])
    assert end.value.code == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows["ac-wgan-a"]["parameters"]) == {"generator", "discriminator"}
    assert rows["ac-wgan-a"]["parameters"]["discriminator"] == (
        rows["wgan-gp"]["parameters"]["discriminator"] + 10 * (64 * 4 + 1)
    )
    assert "needs the label level 'top'" in rows["ac-wgan-three-levels"]["parameters"]
