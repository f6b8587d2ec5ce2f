"""Folders that mtgan wrote are no data sets, and no classes of one."""

from pathlib import Path

import pytest

from mtgan.data import load_dataset
from mtgan.errors import UserError


def make_run(folder: Path, paint, kind: str = "run") -> Path:
    files = {
        "run": {"recipe.yaml": "run: {data: {name: photos}, data_name: p}\n", "data.json": "{}"},
        "classifier": {"recipe.yaml": "run: {data_name: photos}", "data.json": '{"tasks": {}}'},
        "broken": {"recipe.yaml": "run: [", "data.json": "{"},
        "study": {"study.yaml": "", "plan.json": ""},
        "sweep": {"sweep.yaml": ""},
    }[kind]
    for i in range(3):
        paint(folder / "samples" / f"step-{i}.png")
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("kind", "place", "words"),
    [
        (
            "run",
            ".",
            ["is the folder of a run", "it was trained on photos", "mtgan sample", "--out"],
        ),
        ("run", "samples", ["lies in the run", "and no data set", "mtgan sample"]),
        ("classifier", ".", ["is the folder of a run", "it is one of a classifier", "on photos"]),
        ("broken", ".", ["is the folder of a run", "name the images that it was trained on"]),
        ("study", ".", ["is the folder of a study, and no data set"]),
        ("sweep", ".", ["is the folder of a sweep, and no data set"]),
    ],
)
def test_a_folder_of_results_is_refused(tmp_path: Path, paint, kind, place, words) -> None:
    run = make_run(tmp_path / "my run", paint, kind)
    with pytest.raises(UserError) as caught:
        load_dataset(run / place)
    assert [word for word in words if word not in str(caught.value)] == []
    assert "'" in str(caught.value) or kind != "run"  # quoted for a shell


def test_samples_that_were_exported_into_a_run_are_a_set(tmp_path: Path, paint) -> None:
    run = make_run(tmp_path / "run", paint)
    paint(run / "mine" / "0.png")
    assert len(load_dataset(run / "mine", "all")) == 1


def test_runs_beside_class_folders_are_no_classes(tmp_path: Path, paint) -> None:
    """As where one trains in the folder of the images."""
    for name in ("cat/0.png", "dog/0.png"):
        paint(tmp_path / "set" / name)
    make_run(tmp_path / "set" / "runs" / "first", paint)
    data = load_dataset(tmp_path / "set", "all")
    assert data.taxonomy.classes == {"fine": ("cat", "dog")}
    assert "Left out 1 folder (what mtgan wrote of a run): runs/first." in data.notes
    with pytest.raises(UserError, match=r"holds no images.*what mtgan wrote of a run"):
        load_dataset(tmp_path / "set" / "runs")


def test_what_info_draws_into_the_set_is_no_image_of_it(tmp_path: Path, paint, monkeypatch) -> None:
    from mtgan import cli

    for name in ("cat/0.png", "dog/0.png", "cat/x-samples.png"):
        paint(tmp_path / "set" / name)
    monkeypatch.chdir(tmp_path / "set")
    before = load_dataset(".", "all")
    with pytest.raises(SystemExit, match="0"):
        cli.main(["data", "info", ".", "--json"])
    after = load_dataset(".", "all")
    assert len(after) == len(before) == 3
    assert after.fingerprint == before.fingerprint
    assert "Left out 1 file (drawn by mtgan data info): set-samples.png." in after.notes
    Path("set-samples.png").rename("cat/other.png")
    assert load_dataset(".", "all").fingerprint == before.fingerprint
