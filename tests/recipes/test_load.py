"""Recipes: inheritance, overrides, scale, and what a typo gets."""

import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import yaml

from mtgan.errors import UserError
from mtgan.recipes import dump_recipe, list_recipes, load_recipe
from mtgan.recipes.load import parse_override, parse_overrides
from mtgan.recipes.rules import RecipeWarning

ZOO = [entry.name for entry in list_recipes()]


@pytest.mark.parametrize("name", ZOO)
def test_zoo_recipes_say_what_they_are(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.title
    assert recipe.source
    assert recipe.about.endswith(".")


@pytest.mark.parametrize("name", ZOO)
def test_the_dump_of_a_recipe_is_that_recipe(name: str, tmp_path: Path) -> None:
    file = tmp_path / "copy.yaml"
    file.write_text(dump_recipe(load_recipe(name)))
    assert load_recipe(file).model_dump(exclude={"extends"}) == load_recipe(name).model_dump(
        exclude={"extends"}
    )


def test_a_child_differs_from_its_parent_in_what_it_says_alone() -> None:
    parent, child = load_recipe("wgan-gp").model_dump(), load_recipe("cwgan-a").model_dump()
    differing = {key for key in parent if parent[key] != child[key]}
    assert differing == {
        "name",
        "extends",
        "title",
        "source",
        "about",
        "generator",
        "discriminator",
    }
    assert child["generator"]["width"] == parent["generator"]["width"]


def test_the_thesis_defaults() -> None:
    recipe = load_recipe("wgan-gp")
    assert (recipe.optimizer.learning_rate, recipe.optimizer.beta1, recipe.optimizer.beta2) == (
        1e-4,
        0.5,
        0.9,
    )
    assert recipe.training.steps == 200_000
    assert recipe.training.batch_size == 64
    assert recipe.latent.dim == 128
    assert recipe.schedule.discriminator_steps == 5
    assert recipe.penalty.weight == 10


def test_a_recipe_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("extends: wgan-gp\ntitle: Mine\npenalty: {weight: 3}\n")
    recipe = load_recipe(file)
    assert (recipe.name, recipe.title, recipe.penalty.weight) == ("mine", "Mine", 3)
    assert recipe.objective == "wasserstein"


def test_overrides() -> None:
    recipe = load_recipe(
        "ac-wgan-b", {"training.steps": 7, "tasks.1.weight": 0.1, "data.size": [64, 128]}
    )
    assert recipe.training.steps == 7
    assert [task.weight for task in recipe.tasks] == [0.5, 0.1]
    assert recipe.data.size == (64, 128)


@pytest.mark.parametrize("size", ["64x128", "64X128", [64, 128], (64, 128)])
def test_a_size_is_written_as_on_the_command_line(size: object) -> None:
    assert load_recipe("wgan-gp", {"data.size": size}).data.size == (64, 128)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("training.steps=2000", ("training.steps", 2000)),
        ("optimizer.learning_rate=1e-4", ("optimizer.learning_rate", 1e-4)),
        ("data.flip=true", ("data.flip", True)),
        ("objective=hinge", ("objective", "hinge")),
        ("data.size=[64, 128]", ("data.size", [64, 128])),
    ],
)
def test_override_values_mean_themselves(text: str, expected: tuple[str, object]) -> None:
    assert parse_override(text) == expected


def test_scale_shrinks_widths_batch_and_steps_alone() -> None:
    full, tiny = load_recipe("ac-wgan-b"), load_recipe("ac-wgan-b", scale="tiny")
    assert tiny.generator.width == full.generator.width // 4
    assert tiny.training.batch_size == full.training.batch_size // 2
    assert tiny.training.steps == full.training.steps // 100
    assert tiny.training.evaluate_every <= tiny.training.steps // 10
    assert tiny.tasks == full.tasks
    assert tiny.schedule == full.schedule


@pytest.mark.parametrize(
    ("recipe", "scale", "rates"),
    [
        ("wgan-gp", "full", (1e-4, None)),
        ("wgan-gp", "small", (1e-3, None)),
        ("wgan-gp", "tiny", (1e-3, None)),
        ("wgan", "tiny", (5e-4, None)),  # at most ten times the source's
        ("multidomain-gp", "tiny", (1e-3, 5e-4)),  # never lower, and in the same ratio
    ],
)
def test_rates_fit_the_length_of_a_scale(recipe: str, scale: str, rates: tuple) -> None:
    loaded = load_recipe(recipe, scale=scale)
    part = loaded.optimizer
    assert (part.learning_rate, part.discriminator_learning_rate) == rates
    own = load_recipe(recipe).optimizer
    assert part.decay == (own.decay if scale == "full" else "linear")
    assert (part.beta1, part.beta2, part.kind) == (own.beta1, own.beta2, own.kind)
    assert loaded.training.ema_decay == (0.999 if scale == "full" else 0.998)


@pytest.mark.parametrize("text", ["lr: 0.003", "optimizer: {lr: 0.003}"])
def test_lr_is_the_learning_rate(tmp_path: Path, text: str) -> None:
    (tmp_path / "own.yaml").write_text(f"extends: wgan-gp\n{text}\n")
    recipe = load_recipe(tmp_path / "own.yaml")
    assert recipe.optimizer.learning_rate == 0.003
    assert recipe.optimizer.beta2 == load_recipe("wgan-gp").optimizer.beta2
    for key in ("lr", "optimizer.lr"):
        assert load_recipe("wgan-gp", {key: 0.003}).optimizer.learning_rate == 0.003
        both = {key: 0.003, "optimizer.learning_rate": 0.001}
        with pytest.raises(UserError, match=rf"{key} and optimizer\.learning_rate mean the same"):
            load_recipe("wgan-gp", both)
    (tmp_path / "odd.yaml").write_text("lr: 0.1\noptimizer: 3\n")
    with pytest.raises(UserError, match=r"optimizer should be keys with values; found 3"):
        load_recipe(tmp_path / "odd.yaml")
    (tmp_path / "both.yaml").write_text("lr: 0.1\noptimizer: {learning_rate: 0.2}\n")
    with pytest.raises(UserError, match=r"lr and optimizer\.learning_rate mean the same"):
        load_recipe(tmp_path / "both.yaml")


def test_overrides_win_over_scale() -> None:
    recipe = load_recipe("wgan-gp", {"training.steps": 11, "generator.width": 40}, scale="tiny")
    assert (recipe.training.steps, recipe.generator.width) == (11, 40)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"training.step": 5}, r"no key 'training.step': did you mean 'steps'\?"),
        ({"generater.width": 5}, r"no key 'generater': did you mean 'generator'\?"),
        ({"tasks": [{"label": "fine"}]}, r"tasks.0"),
        (
            {"training.steps": 0},
            "steps should be a whole number from 1 to 1,000,000,000; found 0",
        ),
        ({"training.steps": "many"}, "training.steps should be a whole number .*; found 'many'"),
        (
            {"latent.distribution": "cauchy"},
            "distribution should be normal or uniform; found 'cauchy'",
        ),
        ({"discriminator.normalization": "batch"}, "layer or none"),
        ({"tasks": [{"labels": "fine"}]}, "generator.conditioning"),
        ({"discriminator.conditioning": "concat"}, "generator.conditioning=concat"),
        ({"generator.normalization": "conditional-batch"}, "conditioning=normalization"),
        ({"training.steps.more": 5}, "'steps' is a single value"),
        ({"training.steps": True}, "should be a whole number from 1 to .*; found True"),
        ({"training.steps": 10**30}, "should be a whole number from 1 to 1,000,000,000"),
        ({"training.steps": 2.5}, "should be a whole number"),
        ({"optimizer.learning_rate": float("nan")}, "a number above 0, at most .*; found nan"),
        ({"optimizer.learning_rate": float("inf")}, "a number above 0, at most .*; found inf"),
        ({"penalty.weight": -1e-9}, "a number from 0 to 1e"),
        ({"data.size": 100_000}, r"data.size should be a whole number from 1 to 4,096 or \["),
        ({"data.size": [64, 0]}, r"data.size should be .*; found \[64, 0\]"),
        ({"data.size": "64x0"}, r"data.size should be .*; found \[64, 0\]"),
        ({"data.size": "64x"}, r"data.size should be .*; found '64x'"),
        ({"data.subset": 0}, "data.subset should be"),
        ({"training.batch_size": 10**9}, "training.batch_size should be .* from 2 to 1,000,000"),
        ({"hierarchy": [{"kind": "random", "seed": -1}]}, "hierarchy.0.seed should be"),
        ({"tasks": [{"weight": 1}]}, "tasks.0.labels is missing; it should be text"),
        ({"generator": 5}, "generator should be keys with values; found 5"),
    ],
)
def test_bad_overrides_get_one_sentence(overrides: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        load_recipe("wgan-gp", overrides)


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        (["training.steps=3", "training.steps=4"], "training.steps is given twice"),
        (["extends=gan"], "extends has no effect"),
        (["run.seed=3"], "run.seed has no effect"),
    ],
)
def test_nothing_that_is_set_is_dropped(texts: list[str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        parse_overrides(texts)


def test_a_position_beyond_a_list_is_named() -> None:
    with pytest.raises(UserError, match=r"'3' should be a position from 0 to 1, or \* for all"):
        load_recipe("ac-wgan-b", {"tasks.3.weight": 5})


def test_a_star_means_all_of_a_list() -> None:
    found = load_recipe("ac-wgan-b", {"tasks.*.head.learns_from": "real", "tasks.*.weight": 2.0})
    assert [(task.head.learns_from, task.weight) for task in found.tasks] == [("real", 2.0)] * 2
    whole = load_recipe("ac-wgan-b", {"tasks.*.head": {"classes": "real-fake"}})
    assert whole.tasks == load_recipe("adc-wgan-b").tasks


@pytest.mark.parametrize("part", ["*", "0"])
def test_nothing_of_an_empty_list_can_be_set(part: str) -> None:
    with pytest.raises(UserError, match="nothing in the list"):
        load_recipe("wgan-gp", {f"tasks.{part}.weight": 5})


def test_a_mistyped_name_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"no recipe 'wgan-pg': did you mean 'wgan-gp'\?"):
        load_recipe("wgan-pg")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("extends: [unclosed", "not valid YAML"),
        ("just words", "no keys"),
        ("extends: nothing-such", "no recipe 'nothing-such'"),
    ],
)
def test_broken_files(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text)
    with pytest.raises(UserError, match=sentence):
        load_recipe(file)


def test_circles_are_refused(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text(f"extends: {second}\n")
    second.write_text(f"extends: {first}\n")
    with pytest.raises(UserError, match="circle"):
        load_recipe(first)


def test_an_unbounded_critic_is_warned_about() -> None:
    with pytest.warns(RecipeWarning, match="diverges"):
        load_recipe("wgan-gp", {"penalty.kind": "none"})


def test_no_recipe_of_the_zoo_warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list_recipes()


def test_listing_recipes_does_not_import_torch() -> None:
    code = "import sys, mtgan.recipes as r; r.list_recipes(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_recorded_run_is_a_valid_recipe(tmp_path: Path) -> None:
    values = yaml.safe_load(dump_recipe(load_recipe("wgan-gp")))
    values["run"] = {"seed": 3}
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(values))
    assert load_recipe(file).run == {"seed": 3}
