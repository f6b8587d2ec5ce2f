"""Which recipe suits labels: from which level lies in which."""

import pytest

from mtgan.data import Taxonomy
from mtgan.recipes import load_recipe
from mtgan.recipes.suggest import suggest


def levels(*names: str, **parents: str) -> Taxonomy:
    """Levels of two classes each; parents: the level above, by level."""
    return Taxonomy(
        names,
        dict.fromkeys(names, ("a", "b")),
        {level: (above, (0, 1)) for level, above in parents.items()},
    )


@pytest.mark.parametrize(
    ("taxonomy", "recipe", "told", "heads"),
    [
        (levels(), "wgan-gp", None, None),
        (levels("animal"), "ac-wgan-a-real", "animal", None),
        (levels("animal", "kind", animal="kind"), "ac-wgan-b-real", "animal", None),
        (levels("animal", "tone"), "ac-wgan-b-real", ["animal", "tone"], None),
        (
            levels("animal", "kind", "tone", animal="kind"),
            "ac-wgan-b-real",
            ["animal", "tone"],
            ["animal", "kind", "tone"],
        ),
        (levels("coarse", "fine"), "ac-wgan-b-real", ["coarse", "fine"], ["coarse", "fine"]),
    ],
)
def test_every_judged_level_is_told(taxonomy: Taxonomy, recipe: str, told, heads) -> None:
    found = suggest(taxonomy)
    assert (found["recipe"], found.get("condition_on")) == (recipe, told)
    assert [task["labels"] for task in found.get("tasks", [])] == (heads or [])
    made = load_recipe(found.pop("recipe"), found)  # it can be trained so
    assert abs(sum(task.weight for task in made.tasks) - bool(taxonomy.levels)) < 0.01
    assert not any(task.generated for task in made.tasks)


def test_a_level_of_one_class_gets_no_head() -> None:
    found = suggest(levels("animal", "tone", "light"), without=["animal"])
    assert found["condition_on"] == ["tone", "light"]
    assert [task["labels"] for task in found["tasks"]] == ["tone", "light"]
