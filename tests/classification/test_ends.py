"""How a training of a classifier ends, and is gone on with: by whoever listens, by the clock, by a
signal; on classes that are numbered otherwise by now."""

import json
import shutil
import signal
from pathlib import Path

import pytest
import torch

from classification.small import small, train
from mtgan.classification import ClassifierRun
from mtgan.data import Taxonomy
from mtgan.errors import UserError
from mtgan.training import Interrupted
from mtgan.training.checkpoints import list_checkpoints
from mtgan.training.trainer import Trainer
from toys import make_data

RECIPE = small("mtl-soft", training__checkpoint_every=100)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> ClassifierRun:
    return train(RECIPE, tmp_path_factory.mktemp("whole") / "run")


def assert_same(a: ClassifierRun, b: ClassifierRun) -> None:
    for which in ("live", "best"):
        pair = [run.network(which).state_dict() for run in (a, b)]
        assert all(torch.equal(pair[0][key], pair[1][key]) for key in pair[0])
    assert [line["values"] for line in a.metrics()] == [line["values"] for line in b.metrics()]
    results = [{**(run.result or {}), "seconds": 0} for run in (a, b)]
    assert results[0] == results[1]


def test_a_callback_hears_every_epoch(whole: ClassifierRun, tmp_path: Path) -> None:
    heard = []
    train(RECIPE, tmp_path / "run", callbacks=[lambda epoch, values: heard.append((epoch, values))])
    assert heard == [(line["step"], line["values"]) for line in whole.metrics()]


def test_a_callback_ends_it_and_it_can_be_gone_on_with(
    whole: ClassifierRun, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    stopped = train(RECIPE, out, callbacks=[lambda epoch, values: epoch == 2])
    assert stopped.result is None
    assert [step for step, _ in list_checkpoints(out / "checkpoints")] == [2]
    assert_same(train(RECIPE, out, resume=True), whole)


def test_the_time_is_over_after_one_epoch_at_least(whole: ClassifierRun, tmp_path: Path) -> None:
    out = tmp_path / "run"
    for epochs in (1, 2, 3):
        run = train(RECIPE, out, resume=True, max_seconds=1e-6)
        assert [line["step"] for line in run.metrics()] == list(range(1, epochs + 1))
    assert_same(run, whole)


def test_seconds_that_are_none_leave_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="max_seconds should be a number above 0"):
        train(RECIPE, tmp_path / "run", max_seconds=0)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_loses_nothing(
    number: int, whole: ClassifierRun, tmp_path: Path, monkeypatch, capsys
) -> None:
    out, real = tmp_path / "run", Trainer.move

    def move(trainer: Trainer, *which: object) -> None:
        real(trainer, *which)
        if trainer.iteration == 1 and not capsys.readouterr().err:
            signal.raise_signal(number)  # in the middle of the second epoch
            monkeypatch.undo()

    monkeypatch.setattr(Trainer, "move", move)
    with pytest.raises(Interrupted) as stopped:
        train(RECIPE, out)
    assert "finishing this epoch, then saving" in capsys.readouterr().err
    sentence = f"Stopped at epoch 2 of 3, and saved; go on by mtgan classify --resume {out}"
    assert str(stopped.value) == sentence
    assert stopped.value.exit_code == 128 + number
    assert_same(train(RECIPE, out, resume=True), whole)


OLD = Taxonomy(
    ("fine", "coarse"),
    {"fine": ("d", "a", "c", "b"), "coarse": ("y", "x")},
    {"fine": ("coarse", (0, 1, 0, 1))},
)


def test_classes_are_known_by_name_and_not_by_number(tmp_path: Path) -> None:
    """A run is gone on with as if its classes had never been numbered otherwise."""
    data, recipe = make_data(40), small("mtl-hard")
    whole = train(recipe, tmp_path / "whole", data=data.in_order_of(OLD))
    assert whole.dataset_info["tasks"]["main"]["classes"] == ["d", "a", "c", "b"]
    begun = train(
        recipe,
        tmp_path / "run",
        data=data.in_order_of(OLD),
        callbacks=[lambda epoch, values: epoch == 1],
    )
    assert begun.result is None
    assert_same(train(recipe, begun.path, data=data, resume=True), whole)


def test_classes_of_other_names_are_refused(tmp_path: Path) -> None:
    data, recipe = make_data(40), small("mtl-hard")
    run = train(recipe, tmp_path / "run", data=data, callbacks=[lambda epoch, values: True])
    classes = {"fine": ("a", "b", "c", "e"), "coarse": ("x", "y")}
    other = Taxonomy(data.taxonomy.levels, classes, data.taxonomy.parents)
    renamed = make_data(40)
    renamed.taxonomy = other
    with pytest.raises(UserError, match="names of classes have changed; resume with the same, or"):
        train(recipe, run.path, data=renamed, resume=True)


def test_runs_of_earlier_versions_are_gone_on_with(whole: ClassifierRun, tmp_path: Path) -> None:
    """Their data.json names no taxonomies, and their lines no speed."""
    out = tmp_path / "run"
    begun = train(RECIPE, out, callbacks=[lambda epoch, values: epoch == 2])
    facts = json.loads((begun.path / "data.json").read_text())
    del facts["taxonomies"]
    (begun.path / "data.json").write_text(json.dumps(facts))
    lines = [json.loads(text) for text in (out / "metrics.jsonl").read_text().splitlines()]
    for line in lines:
        del line["steps_per_second"]
    (out / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    shutil.rmtree(out / "tensorboard")
    assert_same(train(RECIPE, out, resume=True), whole)
