"""The recipe with which to begin follows from the structure of the labels."""

import numpy as np
import pytest

from mtgan.data import Taxonomy
from mtgan.data.domains.sequence import SequenceDomain
from mtgan.data.numbers import NumberRange
from mtgan.recipes import load_recipe
from mtgan.recipes.defaults import default_recipe

SHAPE = (1, 16, 16)
NESTED = Taxonomy(
    ("fine", "coarse", "top"),
    {"fine": ("a", "b", "c"), "coarse": ("x", "y"), "top": ("t",)},
    {"fine": ("coarse", (0, 0, 1)), "coarse": ("top", (0, 0))},
)
ATTRIBUTES = Taxonomy(
    ("animal", "kind", "tone"),
    {"animal": ("cat", "ant"), "kind": ("pet", "wild"), "tone": ("red", "blue")},
    {"animal": ("kind", (0, 1))},
)


@pytest.mark.parametrize(
    ("taxonomy", "name", "levels"),
    [
        (Taxonomy((), {}, {}), "unlabeled-images", []),
        (Taxonomy(("animal",), {"animal": ("cat", "ant")}, {}), "labeled-images", ["animal"]),
        (NESTED, "labeled-images", ["fine", "coarse"]),
        (ATTRIBUTES, "labeled-images", ["animal", "kind", "tone"]),
    ],
)
def test_every_level_that_a_head_judges_conditions_the_generator(taxonomy, name, levels) -> None:
    found, keys = default_recipe(taxonomy, SHAPE)
    recipe = load_recipe(found, keys)
    assert found == name
    asked = recipe.condition_on
    if levels:
        assert ([asked] if isinstance(asked, str) else asked) == levels
    heads = [task.labels for task in recipe.tasks]
    assert len(heads) == len(levels)
    assert all(head in levels or head == "fine" for head in heads)
    assert all(task.head.classes == "real-fake" for task in recipe.tasks)


def test_numbers_alone_condition_the_generator_by_a_vicinity() -> None:
    nothing = Taxonomy((), {}, {})
    angle, age, same = NumberRange(0.0, 90.0), NumberRange(1.0, 2.0), NumberRange(3.0, 3.0)
    name, keys = default_recipe(nothing, (3, 16, 16), count=200, numbers={"s": same, "a": angle})
    recipe = load_recipe(name, keys, scale="tiny")
    assert (name, recipe.condition_on) == ("ccgan", "a")
    assert recipe.vicinity is not None
    assert not recipe.data.flip  # a mirrored angle is another one
    both = default_recipe(nothing, SHAPE, numbers={"angle": angle, "age": age})
    assert both == ("ccgan", {"condition_on": ["angle", "age"]})
    load_recipe(*both)
    assert default_recipe(nothing, SHAPE, numbers={"s": same})[0] == "unlabeled-images"
    assert default_recipe(NESTED, SHAPE, numbers={"angle": angle})[0] == "labeled-images"


@pytest.mark.parametrize("taxonomy", [Taxonomy((), {}, {}), NESTED, ATTRIBUTES])
@pytest.mark.parametrize("channels", [1, 3])
def test_few_images_get_the_recipe_for_few(taxonomy, channels) -> None:
    shape = (channels, 16, 16)
    name, keys = default_recipe(taxonomy, shape, count=4_999)
    recipe = load_recipe(name, keys, scale="tiny")
    many = load_recipe(*default_recipe(taxonomy, shape, count=5_000), scale="tiny")
    assert name == ("few-images" if taxonomy.levels else "unlabeled-images")
    assert recipe.discriminator.augmentation == ["translation", "cutout"]
    assert recipe.training.steps == (4_000 if taxonomy.levels else 2_000)
    assert recipe.data.flip is (channels == 3)
    assert recipe.condition_on == many.condition_on
    assert [task.labels for task in recipe.tasks] == [task.labels for task in many.tasks]
    assert not any(task.generated for task in recipe.tasks)
    assert all(task.weight == 1 for task in recipe.tasks)
    assert sum(task.weight for task in many.tasks) == pytest.approx(
        1.0 if many.tasks else 0.0, abs=2e-3
    )
    assert recipe.generator.conditioning == many.generator.conditioning


def test_levels_whose_names_are_those_of_other_positions() -> None:
    names = {"coarse": ("a", "b"), "fine": ("c", "d")}
    _, keys = default_recipe(Taxonomy(("coarse", "fine"), names, {}), SHAPE)
    assert keys["condition_on"] == ["coarse", "fine"]
    assert [task["labels"] for task in keys["tasks"]] == ["coarse", "fine"]


def test_image_sets_side_by_side_are_for_twins() -> None:
    two = Taxonomy(("one", "other"), {"one": ("a", "b"), "other": ("c", "d")}, {})
    apart = np.array([[0, -1], [1, -1], [-1, 0], [-1, 1], [-1, -1]])
    assert default_recipe(two, SHAPE, labels=apart) == ("mtl-wgan-sets", {})
    once = np.concatenate([apart, [[0, 1]]])
    assert default_recipe(two, SHAPE, labels=once)[0] == "labeled-images"
    third = Taxonomy((*two.levels, "third"), {**two.classes, "third": ("e", "f")}, {})
    rows = np.concatenate([np.pad(apart, ((0, 0), (0, 1)), constant_values=-1), [[-1, -1, 0]]])
    name, keys = default_recipe(third, SHAPE, labels=np.concatenate([rows, [[-1, -1, 1]]]))
    assert (name, keys["condition_on"]) == ("labeled-images", ["one", "other", "third"])


def test_one_domain_alone_is_told_from_no_other() -> None:
    first, second = (SequenceDomain(name, "characters", ("|", "a"), 8) for name in "ab")
    one, two = (default_recipe(NESTED, SHAPE, domains) for domains in ((first,), (first, second)))
    assert one == ("multidomain-gp", {"latent.dim": 80, "tasks": []})
    assert two == ("multidomain-gp", {"latent.dim": 80})


def test_a_level_of_one_class_gets_no_head() -> None:
    labels = np.array([[0, 0, 0], [0, 1, 1], [0, 0, 1]])
    _, keys = default_recipe(ATTRIBUTES, SHAPE, labels=labels)
    assert keys["condition_on"] == ["kind", "tone"]
    assert [task["labels"] for task in keys["tasks"]] == ["kind", "tone"]
