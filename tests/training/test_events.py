"""Event files: TensorBoard reads them, and what cannot be written is said at once."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from mtgan.errors import UserError
from mtgan.training import train
from mtgan.training.events import EventFile
from mtgan.training.trainer import Trainer
from toys import make_data, small_recipe


def read(folder: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder)).Reload()


def test_tensorboard_reads_what_was_written(tmp_path: Path) -> None:
    first = EventFile(tmp_path, 0)
    for step in (1, 2, 3):
        first.scalars(step, {"a": step * 0.5, "b": -1.0})
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    first.picture(2, "samples", image)
    first.flush()
    second = EventFile(tmp_path, 3)  # resumed from step 2
    second.scalars(3, {"a": 9.0})
    found = read(tmp_path)
    assert [(e.step, e.value) for e in found.Scalars("a")] == [(1, 0.5), (2, 1.0), (3, 9.0)]
    (picture,) = found.Images("samples")
    assert (picture.step, picture.width, picture.height) == (2, 3, 2)


def test_a_run_shows_each_step_once(tmp_path: Path) -> None:
    train(small_recipe(training__steps=2), make_data(), tmp_path / "run", quiet=True)
    train(small_recipe(), make_data(), tmp_path / "run", resume=True, quiet=True)
    found = read(tmp_path / "run" / "tensorboard")
    assert [e.step for e in found.Scalars("generator/loss")] == [1, 2, 3, 4]
    assert [e.step for e in found.Images("samples")] == [0, 2, 4]


@pytest.mark.parametrize("what", ["moved", "removed", "event files removed"])
def test_a_folder_that_goes_away_while_it_is_trained_in(
    tmp_path: Path, what: str, monkeypatch, capfd
) -> None:
    out = tmp_path / "run"
    real = Trainer.run_iteration

    def iterate(trainer: Trainer) -> None:
        real(trainer)
        if trainer.iteration == 2 and what == "moved":
            out.rename(tmp_path / "elsewhere")
        elif trainer.iteration == 2:
            shutil.rmtree(out if what == "removed" else out / "tensorboard")

    monkeypatch.setattr(Trainer, "run_iteration", iterate)
    with pytest.raises(UserError, match=r"its folder is not there \(any more\); .*--resume"):
        train(small_recipe(training__log_every=1), make_data(), out, quiet=True)
    assert "Traceback" not in capfd.readouterr().err
    assert out.exists() == (what == "event files removed")  # it is not made anew
