"""mtgan data list, info, prepare."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mtgan import cli
from mtgan.data import list_datasets, load_dataset


@pytest.fixture
def mtgan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    """A function that runs the command in an empty folder: exit code, output, errors."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = 0
        try:
            cli.main(["data", *map(str, arguments)])
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def nested(tmp_path: Path, paint) -> Path:
    folder = tmp_path / "nested"
    for place in ("pet/cat", "pet/dog", "vehicle/car"):
        for i in range(5):
            paint(folder / place / f"{i}.png")
    (folder / "pet" / "cat" / "bad.png").write_bytes(b"no picture")
    return folder


def test_list(mtgan) -> None:
    code, out, _ = mtgan("list")
    assert code == 0
    assert all(name in out for name in list_datasets())
    assert "path of a folder" in out


def test_list_for_machines(mtgan) -> None:
    code, out, _ = mtgan("list", "--json")
    assert code == 0
    assert json.loads(out) == list_datasets()


def test_info(mtgan, nested: Path) -> None:
    code, out, _ = mtgan("info", nested)
    assert code == 0
    assert "nested: 12 training and 3 test images of 8 x 8, 3 channels" in out
    assert "level fine: 3 classes, refines coarse, 0 missing" in out
    assert "level coarse: 2 classes, 0 missing" in out
    assert "recipe=few-images" in out
    assert "note: Left out 1 file (unreadable): pet/cat/bad.png." in out
    assert "picture: nested-samples.png" in out
    with Image.open("nested-samples.png") as picture:
        assert picture.mode == "RGB"
        assert picture.height == 3 * 66 - 2  # one row for each class


def test_info_on_domains(mtgan, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("abc\nab\nb\nca\ncab\n")
    code, out, _ = mtgan("info", f"text={tmp_path}/words.txt")
    assert code == 0
    assert "settings: latent.dim=67, tasks=[], recipe=multidomain-gp" in out


def test_info_for_machines(mtgan, nested: Path) -> None:
    code, out, _ = mtgan("info", nested, "--json", "--size", "16x32", "--channels", "1")
    facts = json.loads(out)
    assert code == 0
    assert facts["samples"] == {"train": 12, "test": 3}
    assert facts["shape"] == {"channels": 1, "height": 16, "width": 32}
    assert facts["levels"] == {
        "fine": {"classes": 3, "parent": "coarse", "missing": 0},
        "coarse": {"classes": 2, "parent": None, "missing": 0},
    }
    assert facts["counts"]["coarse"] == {"pet": 8, "vehicle": 4}
    assert facts["settings"]["data.size"] == [16, 32]
    assert facts["settings"]["condition_on"] == ["fine", "coarse"]
    assert facts["fingerprint"] == load_dataset(nested, size="16x32", channels=1).fingerprint
    assert "a fifth, always the same one, is held out" in facts["notes"][0]
    assert facts["notes"][1:] == ["Left out 1 file (unreadable): pet/cat/bad.png."]
    assert facts["warnings"] == []
    assert Path(facts["picture"]).is_file()


def test_info_on_independent_attributes(mtgan, tmp_path: Path) -> None:
    """The generator is told all that a head judges."""
    rows = ["file,animal,kind,tone"]
    for i in range(24):
        Image.new("L", (8, 8), 10 * i).save(tmp_path / f"{i}.png")
        rows.append(f"{i}.png,{'abc'[i % 3]},{'xxy'[i % 3]},{'uv'[i // 3 % 2]}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    code, out, _ = mtgan("info", tmp_path, "--json")
    settings = json.loads(out)["settings"]
    assert (code, settings["condition_on"]) == (0, ["animal", "kind", "tone"])
    assert [task["labels"] for task in settings["tasks"]] == ["animal", "kind", "tone"]
    assert 'condition_on=["animal", "kind", "tone"]' in mtgan("info", tmp_path, "--force")[1]


def test_info_with_own_taxonomy(mtgan, nested: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("kind: {cat: a, dog: b, car: a}\n")
    code, out, _ = mtgan("info", nested, "--json", "--taxonomy", own)
    assert (code, list(json.loads(out)["levels"])) == (0, ["fine", "kind"])
    own.write_text("kind: {cat: a, dgo: b, car: a}\n")
    code, out, errors = mtgan("info", nested, "--taxonomy", own, "--force")
    assert (code, out) == (2, "")
    assert "level 'kind' gives no parent to the class 'dog'" in errors


def test_info_of_unlabeled_images(mtgan, tmp_path: Path) -> None:
    np.savez(tmp_path / "plain.npz", images=np.zeros((20, 8, 8), np.uint8))
    code, out, _ = mtgan("info", tmp_path / "plain.npz")
    assert code == 0
    assert "recipe=unlabeled-images" in out
    assert "warning: plain has no labels" in out
    assert Path("plain-samples.png").is_file()


def test_info_where_every_label_is_missing(mtgan, tmp_path: Path) -> None:
    labels = np.full(20, -1)
    np.savez(tmp_path / "blank.npz", images=np.zeros((20, 8, 8), np.uint8), labels=labels)
    code, out, errors = mtgan("info", tmp_path / "blank.npz")
    assert (code, errors) == (0, "")
    assert "warning: The label level 'fine' has no label in these samples" in out
    assert Path("blank-samples.png").is_file()


def test_info_of_many_classes_is_cut_short(mtgan, tmp_path: Path) -> None:
    images = np.zeros((80, 8, 8), np.uint8)
    np.savez(tmp_path / "many.npz", images=images, labels=np.arange(80) % 40)
    code, out, _ = mtgan("info", tmp_path / "many.npz")
    assert code == 0
    assert "... 10 more" in out


def test_existing_picture_is_kept_without_force(mtgan) -> None:
    Path("digits-samples.png").write_text("mine")
    code, out, errors = mtgan("info", "digits")
    assert (code, out) == (2, "")
    assert errors == (
        "mtgan: digits-samples.png exists already; give another --picture, or --force.\n"
    )
    assert Path("digits-samples.png").read_text() == "mine"
    assert mtgan("info", "digits", "--picture", "other.png", "--json")[0] == 0
    assert mtgan("info", "digits", "--force", "--json")[0] == 0
    with Image.open("digits-samples.png") as picture:
        assert picture.mode == "L"


def test_a_picture_is_replaced_by_force_alone(mtgan) -> None:
    assert mtgan("info", "digits", "--json")[0] == 0
    before = Path("digits-samples.png").read_bytes()
    assert mtgan("info", "digits", "--json")[0] == 0  # it shows the same
    code, out, errors = mtgan("info", "digits", "--json", "--size", "16")
    assert (code, out) == (2, "")
    assert "digits-samples.png exists already; give another --picture, or --force." in errors
    assert Path("digits-samples.png").read_bytes() == before
    assert mtgan("info", "digits", "--json", "--size", "16", "--force")[0] == 0
    assert Path("digits-samples.png").read_bytes() != before


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link"])
@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_picture_is_no_pipe(mtgan, kind: str, force: tuple[str, ...]) -> None:
    target = Path("p.png")
    if kind == "pipe":
        os.mkfifo(target)
    elif kind == "folder":
        target.mkdir()
    else:
        target.symlink_to("/dev/zero" if kind == "device" else "nowhere")
    code, out, errors = mtgan("info", "digits", "--picture", target, *force)
    assert (code, out, errors.count("\n")) == (2, "", 1)
    assert "p.png is a folder" in errors or "p.png is no regular file" in errors


def test_info_ends_with_a_command_that_works(mtgan, tmp_path: Path, paint) -> None:
    """Quoted; its options are of this data set, and no more than needed."""
    for i in range(12):
        paint(tmp_path / "my photos" / ("cat", "dog")[i % 2] / f"{i}.png", size=(32, 32))
    code, out, _ = mtgan("info", tmp_path / "my photos", "--size", "8x16")
    assert code == 0
    last = out.splitlines()[-1].strip()
    words = shlex.split(last)
    assert words[:2] == ["mtgan", "train"]
    assert words[words.index("--data") + 1] == str(tmp_path / "my photos")
    for text in ("data.size=8x16", "data.flip=true", "training.batch_size=10"):
        assert text in words
    assert "for 4,000 iterations on this machine, going by a few of them" in out
    assert "Of 800 color photographs" in out
    facts = json.loads(mtgan("info", tmp_path / "my photos", "--size", "8x16", "--json")[1])
    assert facts["command"] == last
    words += ["--steps", "2", "--set", "training.evaluate_every=0"]
    with pytest.raises(SystemExit, match="0"):
        cli.main([*words[1:], "--out", "run", "--quiet"])
    assert (Path("run") / "samples" / "step-00000002.png").is_file()


def test_the_command_for_many_images_or_canvases_is_plain(mtgan, tmp_path: Path) -> None:
    facts = json.loads(mtgan("info", "fashion-mnist-10k", "--channels", "3", "--json")[1])
    assert "data.channels=3" in facts["command"]
    assert not any(word in facts["command"] for word in ("flip", "augmentation", "--steps"))
    (tmp_path / "words.txt").write_text("abc\nab\nb\nca\ncab\n")
    facts = json.loads(mtgan("info", f"text={tmp_path}/words.txt", "--json")[1])
    assert "--set latent.dim=67" in facts["command"]
    assert "flip" not in facts["command"]


@pytest.mark.parametrize("target", ["/dev/null/a.png", "a.nonsense"])
def test_picture_that_cannot_be_written(mtgan, target: str) -> None:
    code, _, errors = mtgan("info", "digits", "--picture", target)
    assert code == 2
    assert f"{target} could not be written" in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("info", "digit"),
            "There is no data set 'digit', and no folder or .npz file of that name",
        ),
        (("info", "digits", "--size", "big"), "size should be a side like 32"),
        (("info", "digits", "--channels", "2"), "channels should be 1 or 3; found 2"),
        (("prepare", "digit", "out"), "There is no data set 'digit'"),
        (("info", "."), ". holds no images"),
    ],
)
def test_mistakes_get_one_sentence(mtgan, arguments, sentence: str) -> None:
    code, out, errors = mtgan(*arguments)
    assert (code, out) == (2, "")
    assert errors.startswith(f"mtgan: {sentence}")
    assert errors.count("\n") == 1


def test_prepare(mtgan, nested: Path) -> None:
    code, out, _ = mtgan("prepare", nested, "out", "--size", "16")
    assert code == 0
    assert out.splitlines()[0] == "wrote 15 samples of 3 x 16 x 16 to out"
    assert "Left out 1 file (unreadable): pet/cat/bad.png." in out
    assert load_dataset("out").fingerprint == load_dataset(nested, size=16).fingerprint
    assert mtgan("info", "out")[0] == 0


def test_prepare_quietly_and_not_twice(mtgan) -> None:
    assert mtgan("prepare", "digits", "out", "--quiet") == (0, "", "")
    code, _, errors = mtgan("prepare", "digits", "out")
    assert code == 2
    assert errors == "mtgan: out exists already; name another folder, or remove it first.\n"


def test_as_typed(tmp_path: Path) -> None:
    """Once through the real command."""
    command = [sys.executable, "-m", "mtgan", "data", "info", "fashion-mnist-10k", "--json"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    facts = json.loads(result.stdout)
    assert facts["samples"] == {"train": 8000, "test": 2000}
    assert [about["classes"] for about in facts["levels"].values()] == [10, 6, 2]
    assert (tmp_path / "fashion-mnist-10k-samples.png").is_file()
