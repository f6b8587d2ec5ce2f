"""A classifier's folder: made whole, gone on with, read back strictly."""

import json
import os
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from classification.small import small, train
from mtgan.classification import ClassifierRun, load_trunk
from mtgan.errors import UserError
from mtgan.training import TrainingDiverged
from mtgan.training.checkpoints import list_checkpoints


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("classify") / "run"
    return train(small("stl", training__epochs=2), out).path


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def again(run: Path) -> ClassifierRun:
    return train(small("stl", training__epochs=2), run, resume=True)


@pytest.mark.parametrize("left", [[], ["data.json"], ["recipe.yaml"]])
def test_a_run_that_was_killed_when_it_was_begun_is_begun_anew(
    tmp_path: Path, left: list[str]
) -> None:
    out = tmp_path / "run"
    out.mkdir()
    for name in left:
        (out / name).write_text("")
    assert again(out).result is not None


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "letter.txt").write_text("dear")
    for resume in (False, True):
        with pytest.raises(UserError, match=r"exists already|is not the run of a classifier"):
            train(small("stl"), out, resume=resume)
    assert [path.name for path in out.iterdir()] == ["letter.txt"]


def test_a_full_disk_leaves_no_half_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    out = tmp_path / "run"
    for name in ("fsync", "rename", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, full)
            with pytest.raises(UserError, match="no space left on the device; make room"):
                train(small("stl", training__epochs=1), out)
        # What is replaced is a file of a run that has begun: that is gone on with.
        assert (out / "recipe.yaml").is_file() == out.exists() == (name == "replace")
    assert train(small("stl", training__epochs=1), out, resume=True).result is not None


def test_a_result_that_was_removed_is_measured_anew(run: Path) -> None:
    before = json.loads((run / "result.json").read_text())
    (run / "result.json").unlink()
    result = again(run).result
    assert result is not None
    assert {**result, "seconds": 0} == {**before, "seconds": 0}


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("data.json", "shape", [1, 16]),
        ("data.json", "shape", [1, 16, -1]),
        ("data.json", "tasks", {}),
        ("data.json", "tasks", {"main": {"level": "fine", "classes": []}}),
        ("data.json", "tasks", None),
        ("result.json", "test_accuracy", "high"),
        ("result.json", "seconds", None),
        ("checkpoints/step-00000002/state.json", "epoch", "two"),
        ("checkpoints/step-00000002/state.json", "best", {"epoch": 1}),
    ],
)
def test_what_was_edited_is_one_sentence_with_file_and_key(
    run: Path, name: str, key: str, value: object
) -> None:
    file = run / name
    values = json.loads(file.read_text())
    if "checkpoints" in name:
        (run / "result.json").unlink()
    for changed in (values | {key: value}, {k: v for k, v in values.items() if k != key}):
        file.write_text(json.dumps(changed))
        with pytest.raises(UserError) as error:
            again(run)
        assert str(file) in str(error.value)
        assert key in str(error.value)
    for text in ("", "[]", "null", json.dumps(values)[:-9]):
        file.write_text(text)
        with pytest.raises(UserError, match=r"step-00000002|data\.json|result\.json"):
            again(run)


def test_a_checkpoint_of_another_epoch_than_its_name_is_refused(run: Path) -> None:
    (run / "result.json").unlink()
    (run / "checkpoints" / "step-00000002").rename(run / "checkpoints" / "step-00000001")
    with pytest.raises(UserError, match="is of epoch 2, and its folder was renamed"):
        again(run)


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[1:],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [lines[0].replace("main/accuracy", "accuracy"), lines[1]],
        lambda lines: [lines[0].replace('"values"', '"value"'), lines[1]],
    ],
)
def test_lines_that_were_edited_are_one_sentence(run: Path, change) -> None:
    file = run / "metrics.jsonl"
    file.write_text("\n".join(change(file.read_text().splitlines())) + "\n")
    with pytest.raises(UserError, match=r"metrics\.jsonl"):
        ClassifierRun.open(run).epochs()


def test_lines_that_are_missing_are_one_sentence(run: Path) -> None:
    file = run / "metrics.jsonl"
    file.write_text(file.read_text().splitlines()[0] + "\n")
    assert len(ClassifierRun.open(run).metrics()) == 1
    with pytest.raises(UserError, match="should hold 2 epochs, and holds 1"):
        ClassifierRun.open(run).epochs()


def test_a_run_of_a_gan_is_named_as_such(run: Path) -> None:
    facts = {"shape": [1, 16, 16], "taxonomy": {}, "label_rows": [], "label_counts": []}
    (run / "data.json").write_text(json.dumps(facts))
    with pytest.raises(UserError, match="is the run of a GAN, and not of a classifier; mtgan rep"):
        load_trunk(run)


def test_weights_that_are_not_finite_are_refused(run: Path) -> None:
    """Those of the best epoch alone, whose name no training reads any more."""
    file = run / "checkpoints" / "step-00000002" / "networks.safetensors"
    tensors = load_file(file)
    name = next(name for name in tensors if name.startswith("best/") and "weight" in name)
    tensors[name].view(-1)[0] = float("nan")
    save_file(tensors, file)
    with pytest.raises(UserError, match=rf"holds values that are not finite, in {name}"):
        load_trunk(run)
    (run / "result.json").unlink()
    with pytest.raises(UserError, match="holds values that are not finite"):
        again(run)


def test_infinite_running_variances_are_not_kept(tmp_path: Path) -> None:
    """Losses in training may be finite where those of the evaluation are not."""
    recipe = small("stl", training__learning_rates=[1e30], training__epochs=1)
    with pytest.raises(TrainingDiverged, match="not finite"):
        train(recipe, tmp_path / "run")
    assert list_checkpoints(tmp_path / "run/checkpoints") == []
