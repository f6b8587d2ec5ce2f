"""The checkpoint of the lowest Frechet distance: found, told, and kept."""

from pathlib import Path

import numpy as np

from mtgan.training import Run, train
from toys import Instruments, make_data, small_recipe


class Told(Instruments):
    """Measures the distances that it was told, one at each evaluation."""

    def __init__(self, *distances: float) -> None:
        self.left = list(distances)

    def __call__(self, samples: np.ndarray, labels: np.ndarray | None) -> dict[str, float]:
        return {"frechet_distance": self.left.pop(0)}


def go(out: Path, *distances: float, steps: int, resume: bool = False, every: int = 1) -> Run:
    recipe = small_recipe(
        training__steps=steps,
        training__evaluate_every=1,
        training__checkpoint_every=every,
        training__keep_checkpoints=2,
    )
    instruments = Told(*distances)
    run = train(recipe, make_data(), out, resume=resume, quiet=True, instruments=instruments)
    assert not instruments.left
    return run


def test_the_best_checkpoint_is_kept_beside_the_newest_until_a_better_one(tmp_path: Path) -> None:
    out = tmp_path / "run"
    run = go(out, 9.0, 2.0, 5.0, 2.0, 4.0, steps=4)
    assert (run.steps, run.best_step) == ([1, 3, 4], 1), "of equal ones the first"
    assert len(run.sample(1, step="best")) == 1
    run = go(out, 3.0, 6.0, steps=6, resume=True)
    assert (run.steps, run.best_step) == ([1, 5, 6], 1)
    run = go(out, 1.0, 8.0, 8.5, steps=9, resume=True)
    assert (run.steps, run.best_step) == ([7, 8, 9], 7)


def test_the_best_is_kept_where_no_checkpoint_was_due(tmp_path: Path) -> None:
    run = go(tmp_path / "run", 9.0, 2.0, 5.0, 4.0, 6.0, steps=4, every=2)
    assert (run.steps, run.best_step) == ([1, 2, 4], 1)
    assert len(run.sample(1, step="best")) == 1
    again = go(tmp_path / "run", 1.0, 7.0, 3.0, steps=7, every=2, resume=True)
    assert (again.steps, again.best_step) == ([5, 6, 7], 5)
