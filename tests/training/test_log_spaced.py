"""Snapshots at iterations of equal ratios: which, kept, drawn, without effect on the training."""

from pathlib import Path

import pytest
import torch

from mtgan.recipes.rules import RecipeWarning
from mtgan.recipes.schema import LogSpaced
from mtgan.training import Run, train
from toys import make_data, small_recipe

SPACED = {"first": 1, "per_decade": 2}


def go(out: Path, steps: int, resume: bool = False, snapshots: dict | None = SPACED) -> Run:
    keys = {"training__checkpoint_every": 100, "training__sample_every": 100}
    recipe = small_recipe(
        training__steps=steps,
        training__keep_checkpoints=1,
        training__snapshots=snapshots,
        **keys,
    )
    return train(recipe, make_data(), out, resume=resume, quiet=True)


def drawn(run: Run) -> list[int]:
    return sorted(int(file.stem[5:]) for file in (run.path / "samples").glob("step-*.png"))


def test_iterations_at_equal_ratios() -> None:
    assert LogSpaced().until(3_000) == [200, 356, 632, 1_125, 2_000]
    assert LogSpaced().until(199) == []
    assert LogSpaced(first=1, per_decade=10).until(4) == [1, 2, 3, 4]  # each once
    longer = LogSpaced().until(200_000)
    assert (len(longer), longer[-1]) == (13, 200_000)


def test_they_are_drawn_and_kept_also_where_a_training_goes_on(tmp_path: Path) -> None:
    run = go(tmp_path / "run", 12)
    assert run.steps == [1, 3, 10, 12]
    assert drawn(run) == [0, 1, 3, 10, 12]
    run = go(tmp_path / "run", 35, resume=True)
    assert run.steps == [1, 3, 10, 32, 35]
    assert drawn(run) == [0, 1, 3, 10, 12, 32, 35]


def test_the_training_is_as_without_them(tmp_path: Path) -> None:
    spaced, plain = go(tmp_path / "a", 4), go(tmp_path / "b", 4, snapshots=None)
    assert plain.steps == [4]
    mine, other = spaced.game().tensors(), plain.game().tensors()
    assert all(torch.equal(mine[name], other[name]) for name in other)
    logged = [[(line["step"], line["values"]) for line in run.metrics()] for run in (spaced, plain)]
    assert logged[0] == logged[1]


def test_iterations_by_name(tmp_path: Path) -> None:
    run = go(tmp_path / "run", 6, snapshots=[4, 2, 4])
    assert run.steps == [2, 4, 6]
    assert drawn(run) == [0, 2, 4, 6]
    with pytest.warns(RecipeWarning, match="names iteration 400, and the training ends with 4"):
        recipe = small_recipe(training__snapshots=[1, 400])
    assert recipe.training.snapshot_steps == [1]
