"""Checkpoints: read beside a training that replaces them, and refused where they diverged."""

import errno
import os
import shutil
from pathlib import Path

import pytest
import torch

from mtgan.errors import UserError
from mtgan.training import Run, TrainingDiverged, train
from mtgan.training import checkpoints as module
from mtgan.training.checkpoints import (
    first_not_finite,
    list_checkpoints,
    load_checkpoint,
    prune_checkpoints,
    save_checkpoint,
)
from toys import make_data, small_recipe

TENSORS = {"a": torch.arange(3.0)}


def save(folder: Path, step: int) -> Path:
    path = folder / f"step-{step:08d}"
    save_checkpoint(path, TENSORS, {}, {"iteration": step})
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("run") / "run"
    return train(small_recipe(training__steps=4), make_data(), out, quiet=True).path


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Run:
    return Run.open(shutil.copytree(trained, tmp_path / "run"))


def before_reading(monkeypatch, act) -> None:
    """Call `act` once when the next checkpoint is about to be read."""
    real = module.load_file
    left = [act]

    def load(*args: object, **kwargs: object):
        if left:
            left.pop()()
        return real(*args, **kwargs)

    monkeypatch.setattr(module, "load_file", load)


def test_a_newest_checkpoint_that_is_pruned_while_it_is_read(run: Run, monkeypatch) -> None:
    folder = run.path / "checkpoints"
    expected = run.sample(2, step=2, seed=0)
    before_reading(monkeypatch, lambda: shutil.rmtree(folder / "step-00000004"))
    assert (Run.open(run.path).sample(2, seed=0) == expected).all()


def test_a_checkpoint_that_is_written_anew_while_it_is_read(run: Run, monkeypatch) -> None:
    target = run.path / "checkpoints" / "step-00000004"
    expected = run.sample(2, seed=0)

    def replace() -> None:
        target.rename(target.with_name("old"))
        shutil.copytree(target.with_name("old"), target)
        raise FileNotFoundError  # as the reader finds it in between

    before_reading(monkeypatch, replace)
    assert (Run.open(run.path).sample(2, seed=0) == expected).all()


def test_a_checkpoint_asked_for_by_its_step_that_goes_away(run: Run, monkeypatch) -> None:
    folder = run.path / "checkpoints"
    before_reading(monkeypatch, lambda: shutil.rmtree(folder / "step-00000002"))
    with pytest.raises(UserError, match="no checkpoint of step 2; there are 0, 4"):
        Run.open(run.path).sample(2, step=2)


def test_all_checkpoints_but_those_that_go_away(run: Run, monkeypatch) -> None:
    folder = run.path / "checkpoints"
    before_reading(monkeypatch, lambda: shutil.rmtree(folder / "step-00000000"))
    assert [step for step, _ in Run.open(run.path).games()] == [2, 4]


def test_a_broken_checkpoint_is_named_and_an_older_one_advised(run: Run) -> None:
    (run.path / "checkpoints" / "step-00000004" / "state.json").unlink()
    with pytest.raises(UserError, match=r"step-00000004 is incomplete or corrupt.*the one before"):
        Run.open(run.path).sample(2)


@pytest.mark.parametrize("opener", ["load_file", "read_bytes"])
def test_a_disk_that_cannot_be_read_is_no_fault_of_the_checkpoint(
    run: Run, opener: str, monkeypatch
) -> None:
    opened = Run.open(run.path)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    place = Path if opener == "read_bytes" else module
    monkeypatch.setattr(place, opener, refuse)
    with pytest.raises(UserError, match="step-00000004 cannot be read: permission is denied"):
        opened.sample(2)


def test_what_is_not_finite_is_found_by_name() -> None:
    fine = {"a": torch.ones(3), "count": torch.tensor(3), "none": torch.empty(0)}
    assert first_not_finite(fine) is None
    assert first_not_finite({**fine, "b": torch.tensor([1.0, float("-inf")])}) == "b"
    assert first_not_finite({}) is None


def test_statistics_that_are_not_finite_stop_the_training(tmp_path: Path) -> None:
    """The loss stays finite, since batches are normalized by their own statistics."""
    with pytest.raises(TrainingDiverged, match=r"running_var is not finite after iteration \d+"):
        train(
            small_recipe("ac-gan-b", optimizer__learning_rate=1e10, training__steps=4),
            make_data(),
            tmp_path / "run",
            quiet=True,
        )
    run = Run.open(tmp_path / "run")
    for step in run.steps:
        assert run.sample(2, step=step).any()
    assert [p.name[:9] for p in (run.path / "checkpoints").glob("[!s]*")] == ["diverged-"]


def test_leftovers_of_kills_are_removed_when_training_goes_on(run: Run) -> None:
    folder = run.path / "checkpoints"
    for name in (".step-00000006.partial", ".step-00000000.discarded", ".partial-01234567-step-1"):
        shutil.copytree(folder / "step-00000000", folder / name)
    (run.path / "samples" / ".partial-01234567-step-00000004.png").touch()
    train(small_recipe(training__steps=4), make_data(), run.path, resume=True, quiet=True)
    assert not [path for path in run.path.rglob(".*") if path.name != ".lock"]


def test_old_ones_are_pruned_and_protected_ones_stay(tmp_path: Path) -> None:
    for step in (1, 2, 3, 100_000_000):
        save(tmp_path, step)
    prune_checkpoints(tmp_path, 2, frozenset({1}))
    assert [step for step, _ in list_checkpoints(tmp_path)] == [1, 3, 100_000_000]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("operation", ["fsync", "rename", "mkdir"])
def test_a_disk_that_refuses_is_one_sentence(
    tmp_path: Path, operation: str, number: int, monkeypatch
) -> None:
    older = save(tmp_path, 1)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, operation, refuse)
        with pytest.raises(UserError, match=r"step-00000002 could not be written: .* --resume"):
            save(tmp_path, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]
    assert load_checkpoint(older)[2] == {"iteration": 1}
    save(tmp_path, 2)


def test_a_run_folder_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"its folder is not there \(any more\)"):
        save(tmp_path / "gone" / "checkpoints", 1)
    assert not (tmp_path / "gone").exists()
