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


def go(out: Path, *distances: float, steps: int, resume: bool = False) -> Run:
    recipe = small_recipe(
        training__steps=steps,
        training__evaluate_every=1,
        training__checkpoint_every=1,
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
