"""Sweeps: names of folders, numbers in their range, files that are kept."""

import os
from pathlib import Path

import pytest
from filelock import FileLock

from classification.small import SMALL
from mtgan.classification.figures import write_figures
from mtgan.classification.sweep import Cell, Setting, cells, load_sweep, run_sweep
from mtgan.errors import UserError
from mtgan.files import dump_yaml
from toys import make_data

KEYS = {**SMALL, "sharing.layers": 0, "training.epochs": 1}


def write(path: Path, **keys: object) -> Path:
    values = {
        "title": "Mine",
        "settings": [{"name": "A", "recipe": "stl"}, {"name": "_b $x$", "recipe": "stl"}],
        "baseline": "A",
        "seeds": 2,
        "set": KEYS,
    }
    path.write_text(dump_yaml({**values, **keys}))
    return path


def run(path: Path, out: Path, seeds: int | None = None, said: list[str] | None = None) -> list:
    data, test = make_data(40), make_data(20, seed=1)
    say = said.append if said is not None else lambda line: None
    return run_sweep(load_sweep(path, seeds=seeds), data, out, test=test, device="cpu", say=say)


def test_a_sweep_is_written_once_and_its_tables_keep_all_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out, said = write(tmp_path / "mine.yaml"), tmp_path / "out", []
    assert len(run(path, out, said=said)) == len(said) == 4
    assert (out / "table.csv").read_text().count("_b $x$") == 3
    file = out / "sweep.yaml"
    before = (file.stat().st_ino, file.stat().st_mtime_ns)
    # Stopped anywhere, the tables of all seeds stay: none of fewer is written on the way.
    written: list[int] = []
    monkeypatch.setattr(
        "mtgan.classification.sweep.write_tables", lambda rows, *_: written.append(len(rows))
    )
    run(path, out, said=said)
    assert written == [4]
    assert len(said) == 4
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == before
    with FileLock(out / ".lock"), pytest.raises(UserError, match="Another process is running the"):
        run(path, out)
    run(path, out, seeds=1)
    assert "seeds: 1" in file.read_text()


def test_a_full_disk_leaves_the_older_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = write(tmp_path / "mine.yaml", seeds=1), tmp_path / "out"
    run(path, out)
    before = {file: file.read_bytes() for file in out.iterdir() if file.is_file()}
    assert {file.suffix for file in before} >= {".csv", ".md", ".png", ".yaml"}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"runs\.csv could not be written: there is no space left"):
        run(path, out)
    monkeypatch.setattr("mtgan.classification.sweep.write_tables", lambda *_: None)
    with pytest.raises(UserError, match=r"curves-100pct\.png could not be written"):
        run(path, out)
    assert {file: file.read_bytes() for file in out.iterdir() if file.is_file()} == before


def test_figures_name_every_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one whose name matplotlib takes for one that is not to be shown."""
    shown = []

    def look(figure, path: Path, dpi: int) -> None:
        shown.append([t.get_text() for a in figure.axes for t in a.get_legend().get_texts()])

    monkeypatch.setattr("mtgan.classification.figures.save_figure", look)
    from classification.test_tables import rows

    lines = rows({"A": [0.5, 0.6], "_b": [0.5, 0.7]})
    epoch = {"values": {"main/accuracy": 0.5, "main/cross_entropy": 1.0}}
    write_figures(lines, [[epoch]] * len(lines), tmp_path)
    assert shown == [["A", "_b", "A", "_b"]]


@pytest.mark.parametrize("name", ["../../x", "/x", "a/b", "..", "a\\b", "é" * 300, "a\nb"])
def test_names_of_settings_make_names_of_folders(name: str) -> None:
    folder = Cell(Setting(name=name, recipe="stl"), 0.5, 3).name
    assert Path(folder).name == folder
    assert not {"/", "\\", "\n"} & set(folder)
    assert len(folder.encode()) < 200


def test_names_of_shipped_settings_are_as_they_were() -> None:
    sweep = load_sweep("other-data", "tiny")
    names = [cell.name for cell in cells(sweep)][:3]
    assert names == ["STL-100pct-s0", "AUX=20-100pct-s0", "AUX=10-100pct-s0"]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"seeds": 1_000_000_000}, "seeds"),
        ({"seeds": True}, "seeds"),
        ({"seeds": 0}, "seeds"),
        ({"fractions": []}, "fractions"),
        ({"fractions": [0.5, 0.5]}, "names a fraction twice"),
        ({"fractions": [1.5]}, "fractions.0"),
        ({"scales": {"tiny": {"fractions": [0.5, 0.5]}}}, "names a fraction twice"),
        ({"scales": {"tiny": {"seeds": 10**9}}}, "scales.tiny.seeds"),
        (
            {"settings": [{"name": "A", "recipe": "stl"}, {"name": "A", "recipe": "stl"}]},
            "the same name",
        ),
        (
            {"settings": [{"name": "A b", "recipe": "stl"}, {"name": "A-b", "recipe": "stl"}]},
            "differ in blanks",
        ),
        ({"settings": [{"name": "", "recipe": "stl"}]}, "settings.0.name"),
        ({"settings": None}, "settings"),
    ],
)
def test_mistakes_get_one_sentence(tmp_path: Path, changed: dict, sentence: str) -> None:
    path = write(tmp_path / "mine.yaml", **changed)
    with pytest.raises(UserError) as error:
        load_sweep(path)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_a_number_of_seeds_from_python() -> None:
    with pytest.raises(UserError, match="The number of seeds should be from 1 to 1,000"):
        load_sweep("soft-weight", seeds=10**9)
