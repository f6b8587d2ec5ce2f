"""Trackers are told what metrics.jsonl says, each line once, however a training went."""

import json
import signal
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from classification.small import small
from classification.small import train as train_classifier
from cli.test_commands import mtgan as command
from mtgan.errors import Interrupted, UserError
from mtgan.training import Run, train
from mtgan.training.trackers import TOLD, TRACKERS, Tracked, Trackers
from mtgan.training.trainer import Trainer
from toys import Instruments, make_data, small_recipe

Curves = dict[str, list[tuple[int, float]]]


class Ended(Exception):
    """The training ended by an error of the caller's."""


def go(out: Path, log: list[str] | None, *, end: int = -1, resume: bool = False) -> Run:
    """Four iterations, a checkpoint after 2 and 4; ended by an error after `end` of them."""

    def fail(step: int, values: Mapping[str, float]) -> None:
        if step == end:
            raise Ended

    recipe = small_recipe(training__evaluate_every=2, training__sample_every=4)
    options: dict[str, Any] = {"log": log, "instruments": Instruments(), "quiet": True}
    return train(recipe, make_data(), out, resume=resume, callbacks=[fail], **options)


def curves(lines: list[dict[str, Any]]) -> Curves:
    """Steps and values by name."""
    found: Curves = {}
    for line in lines:
        for name, value in line["values"].items():
            found.setdefault(name, []).append((line["step"], value))
    return found


# What trackers that are programs of others have kept


def read_tensorboard(run: Run) -> Curves:
    found = EventAccumulator(str(run.path / "tensorboard")).Reload()
    names = found.Tags()["scalars"]
    return {name: [(e.step, e.value) for e in found.Scalars(name)] for name in names}


def records_of(path: Path) -> list[bytes]:
    """Of a LevelDB log behind 7 bytes of its own: blocks of 32 KiB, in them headers of checksum,
    length and type (1: whole, 2, 3, 4: first, middle, last piece)."""
    content, found, place = path.read_bytes(), [], 7
    while place + 7 <= len(content):
        if (left := -place % 32_768) and left < 7:
            place += left
            continue
        _, length, kind = struct.unpack("<IHB", content[place : place + 7])
        piece = content[place + 7 : place + 7 + length]
        found = [*found, piece] if kind in {1, 2} else [*found[:-1], found[-1] + piece]
        place += 7 + length
    return found


def read_wandb(run: Run) -> tuple[Curves, list[str], dict[str, Any]]:
    """Curves, pictures and configuration, of all files of the run's one id."""
    from wandb.proto.wandb_internal_pb2 import Record

    found: Curves = {}
    pictures, config = [], {}
    for file in sorted((run.path / "trackers" / "wandb").glob("offline-run-*/run-*.wandb")):
        for text in records_of(file):
            record = Record.FromString(text)
            step = record.history.step.num
            config |= {u.key: json.loads(u.value_json) for u in record.run.config.update}
            for item in record.history.item:
                name, *of = item.nested_key or [item.key]
                value = json.loads(item.value_json)
                if value == "image-file" or (isinstance(value, dict) and "path" in value):
                    pictures.append(f"{name} {step}")
                elif not of and not name.startswith("_"):
                    found.setdefault(name, []).append((step, value))
    return found, pictures, config


def read_mlflow(run: Run, key: str) -> tuple[Curves, list[str], Any]:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{run.path / 'trackers' / 'mlflow' / 'mlflow.db'}")
    kept = client.get_run(key)
    found = {
        name: sorted((m.step, m.value) for m in client.get_metric_history(key, name))
        for name in kept.data.metrics
    }
    files = {Path(f.path).name for f in client.list_artifacts(key, "images")}
    pictures = sorted({" ".join(name.split("+")[::2][:2]) for name in files})
    return found, pictures, kept


def read_trackio(name: str) -> Curves:
    from trackio.sqlite_storage import SQLiteStorage

    lines = SQLiteStorage.get_logs("mtgan", name)
    values = [{k: v for k, v in line.items() if isinstance(v, float)} for line in lines]
    return curves(
        [{"step": line["step"], "values": v} for line, v in zip(lines, values, strict=True)]
    )


def test_every_tracker_has_the_curves_of_the_log(tmp_path: Path, monkeypatch) -> None:
    for name in ("WANDB_MODE", "WANDB_API_KEY", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    if "trackio" not in sys.modules:  # which asks for it once
        monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    names = ["wandb", "mlflow", "trackio"]
    with pytest.raises(Ended):
        go(tmp_path / "run", names, end=3)  # told of 3, and kept at 2
    kept = json.loads((tmp_path / "run" / "trackers" / TOLD).read_text())["trackers"]
    key = kept["mlflow"]["kept"]
    assert read_mlflow(Run.open(tmp_path / "run"), key)[2].info.status == "FAILED"
    run = go(tmp_path / "run", None, resume=True)

    wanted = curves(run.metrics())
    assert [step for step, _ in wanted["generator/loss"]] == [1, 2, 3, 4]
    assert [step for step, _ in wanted["frechet_distance"]] == [0, 2, 4]
    tensorboard = read_tensorboard(run)
    assert tensorboard == {
        name: [(step, pytest.approx(value)) for step, value in curve]  # float32
        for name, curve in wanted.items()
    }
    of_wandb, pictures, config = read_wandb(run)
    assert of_wandb == wanted
    assert pictures == ["samples 0", "samples 4"]
    assert config["training"]["steps"] == 4
    assert config["run"]["data_name"] == "toy"
    of_mlflow, pictures, told = read_mlflow(run, key)
    assert of_mlflow == wanted
    assert pictures == ["samples 0", "samples 4"]
    assert told.data.params["training.steps"] == "4"
    assert told.info.status == "FINISHED"
    assert read_trackio(f"run-{kept['trackio']['id']}") == wanted


# What any tracker is told


class Heard:
    """Keeps what it is told; fails at a step."""

    runs: ClassVar[list["Heard"]] = []
    fails_at = -1

    def __init__(self, run: Tracked) -> None:
        self.run, self.kept = run, run.kept or f"by {run.id}"
        self.lines: list[dict[str, Any]] = []
        self.pictures: list[int] = []
        self.ending = ""
        Heard.runs.append(self)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        if step == Heard.fails_at:
            raise OSError("nobody there")
        self.lines.append({"step": step, "values": values})

    def picture(self, step: int, tag: str, image: Any) -> None:
        assert (tag, image.shape[-1]) == ("samples", 3)
        self.pictures.append(step)

    def close(self, ending: str) -> None:
        self.ending = ending


@pytest.fixture
def heard(monkeypatch) -> list[Heard]:
    monkeypatch.setattr(Heard, "runs", [])
    monkeypatch.setattr(Heard, "fails_at", -1)
    TRACKERS.register("heard")(Heard)
    return Heard.runs


def test_a_tracker_that_comes_later_is_told_what_it_missed(tmp_path: Path, heard) -> None:
    with pytest.raises(Ended):
        go(tmp_path / "run", [], end=3)
    run = go(tmp_path / "run", ["heard"], resume=True)
    (tracker,) = heard
    assert curves(tracker.lines) == curves(run.metrics())
    assert (tracker.run.new, tracker.ending, tracker.pictures) == (True, "finished", [4])


class Holding(Heard):
    holds_last = True


@pytest.mark.parametrize(("kind", "again"), [(Heard, [4, 4]), (Holding, [3, 4, 4])])
def test_after_a_kill_none_is_told_twice_what_it_has(
    kind: type[Heard], again: list[int], tmp_path: Path, heard, monkeypatch
) -> None:
    TRACKERS.register("killed")(kind)
    with monkeypatch.context() as patch:
        patch.setattr(Trackers, "close", lambda self, ending: None)
        with pytest.raises(Ended):
            go(tmp_path / "run", ["killed"], end=3)
    go(tmp_path / "run", None, resume=True)
    assert [line["step"] for line in heard[0].lines] == [0, 1, 2, 2, 3]
    assert [line["step"] for line in heard[1].lines] == again


def test_one_that_fails_is_left_out_and_told_later(tmp_path: Path, heard) -> None:
    Heard.fails_at = 3
    with pytest.warns(UserWarning, match=r"tracker heard fails \(OSError: nobody there\)"):
        go(tmp_path / "run", ["heard"])
    assert [line["step"] for line in heard[0].lines] == [0, 1, 2, 2]
    Heard.fails_at = -1
    recipe = small_recipe(training__evaluate_every=2, training__sample_every=4, training__steps=5)
    options: dict[str, Any] = {"instruments": Instruments(), "quiet": True}
    run = train(recipe, make_data(), tmp_path / "run", resume=True, **options)
    assert curves(heard[0].lines + heard[1].lines) == curves(run.metrics())
    assert heard[1].kept == heard[0].kept == f"by {heard[0].run.id}"


def test_one_that_cannot_be_opened_ends_it_in_a_sentence(
    tmp_path: Path, heard, monkeypatch
) -> None:
    def refuse(run: Tracked) -> None:
        raise ConnectionError("no server\nat all")

    TRACKERS.register("shut")(refuse)
    with pytest.raises(UserError, match=r"tracker shut cannot follow .*\(ConnectionError: no ser"):
        go(tmp_path / "run", ["heard", "shut"])
    assert heard[0].ending == "failed"
    run = go(tmp_path / "run", ["heard"])  # nothing is lost
    assert run.steps[-1] == 4


def test_ctrl_c_and_errors_are_told_from_an_end(tmp_path: Path, heard, monkeypatch) -> None:
    with pytest.raises(Ended):
        go(tmp_path / "failed", ["heard"], end=1)
    real = Trainer.run_iteration

    def iterate(trainer: Trainer) -> None:
        real(trainer)
        if trainer.iteration == 1:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Trainer, "run_iteration", iterate)
    with pytest.raises(Interrupted):
        go(tmp_path / "stopped", ["heard"])
    assert [tracker.ending for tracker in heard] == ["failed", "stopped"]
    assert len({tracker.run.id for tracker in heard}) == 2


def test_a_classifier_is_followed_too(tmp_path: Path, heard) -> None:
    run = train_classifier(small("stl", training__epochs=1), tmp_path / "run", log=["heard"])
    (tracker,) = heard
    assert curves(tracker.lines) == curves(run.metrics())
    assert tracker.run.config["training"]["epochs"] == 1


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ("wandbb", "There is no tracker 'wandbb': did you mean 'wandb'?"),
        ("mlflow,mlflow", "The tracker 'mlflow' is named twice; name it once."),
        ("mlflow", "--log mlflow needs the package sqlalchemy; install it with "
         "pip install 'mtgan[trackers]'."),
        ("trackio", "--log trackio needs the package trackio; install it with "
         "pip install 'mtgan[trackio]'."),
    ],
)  # fmt: skip
def test_what_cannot_follow_is_said_before_anything_is_made(
    names: str, sentence: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    monkeypatch.setitem(sys.modules, "trackio", None)
    result = command("train", "wgan-gp", "--data", "digits", "--log", names, cwd=tmp_path)
    assert result.returncode == 2
    assert sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_list_of_trackers_that_was_changed_by_hand(tmp_path: Path, heard) -> None:
    go(tmp_path / "run", ["heard"])
    file = tmp_path / "run" / "trackers" / TOLD
    file.write_text(file.read_text().replace('"told"', '"heard"'))
    with pytest.raises(UserError, match=r"told\.json does not hold what it should: .*told"):
        go(tmp_path / "run", None, resume=True)
