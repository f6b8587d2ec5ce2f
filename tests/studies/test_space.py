"""Settings of a grid, and drawn at random."""

import numpy as np
import pytest

from mtgan.studies.collect import begin_folder
from mtgan.studies.conclusions import conclude
from mtgan.studies.load import dump_study, load_study
from mtgan.studies.plan import make_plan
from mtgan.studies.schema import Study
from mtgan.studies.space import Axis, Space
from studies_toys import TINY

RATE, BETA = "optimizer.learning_rate", "optimizer.beta1"
DRAWN = {"axes": {RATE: {"log_uniform": [1e-5, 1e-1]}, BETA: [0.0, 0.5, 0.9]}, "draws": 12}


def study(space: dict, **keys: object) -> Study:
    return Study.model_validate({**TINY, "space": space, **keys})


def test_a_grid_is_all_combinations() -> None:
    grid = {"axes": {RATE: [1e-4, 1e-3], BETA: [0.0, 0.5, 0.9]}}
    plan = make_plan(study(grid, recipes=["gan", "dcgan"]))
    assert len(plan.cells) == 12
    assert plan.cells[1].label == "gan / learning rate 0.0001, beta1 0.5"
    assert plan.cells[1].recipe.optimizer.beta1 == 0.5
    # Recipes are compared at the same setting, and settings with none.
    assert [(a.setting, a.recipe_label, b.recipe_label) for a, b in plan.pairs] == [
        (name, "dcgan", "gan") for name in plan.study.settings
    ]
    assert make_plan(study(grid)).pairs == []


def test_draws_follow_from_number_and_seed() -> None:
    few, many = (study({**DRAWN, "draws": n}).settings for n in (3, 12))
    assert [*few.values()] == [*many.values()][:3]
    assert list(few) == ["draw 1", "draw 2", "draw 3"]
    other = study({**DRAWN, "seed": 1}).settings
    assert other["draw 1"] != many["draw 1"]
    # Written down once: they must be these on every machine, or a study would not go on.
    assert few["draw 1"] == EXPECTED


EXPECTED = {RATE: 0.000156, BETA: 0.0}


def test_draws_are_spread_as_their_axes_say() -> None:
    space = {"axes": {"a": {"log_uniform": [1e-4, 1.0]}, "b": {"uniform": [2.0, 4.0]}, "c": [1, 2]}}
    drawn = [*Space.model_validate({**space, "draws": 1000}).settings().values()]
    logs = np.log10([one["a"] for one in drawn])
    assert (logs.min() >= -4, logs.max() <= 0) == (True, True)
    assert np.mean(logs) == pytest.approx(-2, abs=0.15)
    assert np.mean([one["b"] for one in drawn]) == pytest.approx(3, abs=0.08)
    assert np.mean([one["c"] == 1 for one in drawn]) == pytest.approx(0.5, abs=0.06)
    assert all(one["a"] == float(f"{one['a']:.3g}") for one in drawn)


def test_where_on_an_axis() -> None:
    assert Axis(log_uniform=(1e-4, 1e-2)).at(0.5) == 0.001
    assert Axis(uniform=(1.0, 3.0)).at(0.25) == 1.5
    assert [Axis(choice=["a", "b"]).at(share) for share in (0.0, 0.49, 0.5, 0.99)] == [*"aabb"]


def test_a_search_goes_on_where_it_was(tmp_path) -> None:
    """The plan has the settings, and a longer search the runs of a shorter one."""
    short, long = make_plan(study({**DRAWN, "draws": 2})), make_plan(study(DRAWN))
    assert [c.run_id(0) for c in short.cells] == [c.run_id(0) for c in long.cells[:2]]
    begin_folder(short, tmp_path / "out")
    again = load_study(tmp_path / "out" / "study.yaml")
    assert again == short.study
    assert dump_study(again) == dump_study(short.study)
    assert '"setting": "draw 2"' in (tmp_path / "out" / "plan.json").read_text()


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        ({"axes": {RATE: {"uniform": [0.1, 1.0]}}}, "has a range.*say how many draws"),
        ({"axes": {RATE: {"log_uniform": [0.0, 1.0]}}, "draws": 1}, "above 0 and rising"),
        ({"axes": {RATE: {"uniform": [1.0, 0.5]}}, "draws": 1}, "rising; found 1 to 0.5"),
        ({"axes": {RATE: {}}}, "one of choice, uniform and log_uniform"),
        ({"axes": {}}, "at least 1"),
        ({"axes": {RATE: [1e-3]}, "seed": 3}, "a seed is one of draws"),
        ({"axes": {str(i): [*range(10)] for i in range(4)}}, "10,000 combinations are too many"),
    ],
)
def test_spaces_that_are_none(space: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        study(space)


def test_a_key_of_the_space_is_not_set_from_outside(tmp_path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(dump_study(study(DRAWN)))
    with pytest.raises(ValueError, match=f"varies {RATE} itself"):
        load_study(path, overrides={RATE: 1.0})
    assert len(make_plan(load_study(path)).cells) == 12


def test_keys_that_go_with_a_measure(fake) -> None:
    """The measure is made of one key alone; the ranks of the other one are as they fall."""
    axes = {RATE: {"log_uniform": [1e-5, 1e-1]}, "latent.dim": [4, 8, 16], "objective": ["hinge"]}
    space = {"axes": axes, "draws": 30}
    drawn = [one[RATE] for one in study(space).settings.values()]
    result = fake({"gan": {"frechet_distance": [1.0]}}, space=space)
    for cell, rate in zip(result.plan["cells"], drawn, strict=True):
        [run] = cell["runs"].values()
        result.results[run]["values"]["frechet_distance"]["value"] = float(np.log(rate) ** 3)
    statistics = conclude(result)
    by_key = {one.key: one for one in statistics.effects}
    assert by_key[RATE].correlation == pytest.approx(1)
    assert by_key[RATE].p_holm < 1e-6
    assert by_key["latent.dim"].p_holm > 0.05
    assert set(by_key) == {RATE, "latent.dim"}
    [text] = [text for text in statistics.sentences if "rank correlation" in text]
    assert text.startswith(
        "Over 30 settings of gan, Frechet distance goes with optimizer.learning_"
    )
    assert "latent.dim" not in text
