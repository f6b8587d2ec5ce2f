"""Answers on disk: what is taken, replaced, refused and read."""

import json
from dataclasses import dataclass, fields
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from mtgan.analysis import ANALYSES, Options, Result, analyze_run, answers_in
from mtgan.analysis.base import Analysis, Table
from mtgan.errors import UserError
from mtgan.training import Run
from mtgan.training.begin import begin_run
from mtgan.training.dataset_info import DatasetInfo
from toys import make_data, small_recipe


@dataclass(frozen=True)
class Toy(Result):
    """An answer that is quick to draw."""

    verdict = "So it is."

    def table(self) -> Table:
        return Table(("a",), [])

    def figure(self) -> Figure:
        return Figure(figsize=(1, 1))


@pytest.fixture
def plain(tmp_path: Path, monkeypatch) -> Run:
    """An untrained run, of which `toy` can be asked."""
    toy = Analysis(lambda run, options: Toy(), "nothing", takes=("step",))
    monkeypatch.setitem(ANALYSES._entries, "toy", toy)
    data, recipe = make_data(), small_recipe("wgan-gp")
    return begin_run(tmp_path / "run", recipe, data, DatasetInfo.of(data), 0)


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        (
            "losses",
            Options(step=999, features="nonsense"),
            "losses takes no --step and no --features; the options that it takes: --twin",
        ),
        ("weights", Options(n=5), "weights takes no --n; the options that it takes: --seed"),
        ("evolution", Options(step=0), "evolution takes no --step"),
        ("neighbors", Options(data="digits"), "neighbors takes no --data"),
        ("probe", Options(features="pixels"), "probe takes no --features"),
        ("evolution", Options(n=0), "--n should be from 2 to"),
        ("weights", Options(seed=2**64), "--seed should be from 0 to"),
        ("weights", Options(seed=-1), "--seed should be from 0 to"),
    ],
)
def test_what_an_analysis_does_not_take_is_refused(name, options, sentence, plain: Run) -> None:
    with pytest.raises(UserError, match=sentence):
        analyze_run(name, plain, options=options)
    assert not (plain.path / "analysis").exists()


def test_every_analysis_takes_options_that_there_are() -> None:
    known = {each.name for each in fields(Options)} - {"progress"}
    for name in ANALYSES.names():
        assert set(ANALYSES.get(name).takes) <= known


def test_step_0_is_a_step(plain: Run) -> None:
    _, (_, target) = analyze_run("toy", plain, options=Options(step=0))
    assert json.loads(target.read_text())["step"] == 0


@pytest.mark.parametrize(
    ("json_text", "picture"),
    [
        (None, b"half"),
        ("", b""),
        ("", b"half"),
        ('{\n  "analysis": "toy",\n  "run', b"\x89PNG"),
        ("{", None),
        ('{"analysis": "toy", "verdict": "edited"}', b"half"),
    ],
    ids=["no json", "empty", "empty json", "half json", "a brace", "reformatted"],
)
def test_halves_that_an_older_version_left_are_replaced(json_text, picture, plain: Run) -> None:
    folder = plain.path / "analysis"
    folder.mkdir()
    if json_text is not None:
        (folder / "toy.json").write_text(json_text)
    if picture is not None:
        (folder / "toy.png").write_bytes(picture)
    analyze_run("toy", plain)
    assert json.loads((folder / "toy.json").read_text())["analysis"] == "toy"
    assert (folder / "toy.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("name", "content"),
    [("toy.json", b'{"mine": 1}'), ("toy.json", b"[1, 2"), ("toy.png", b"my picture")],
)
def test_files_of_others_are_not_replaced(name: str, content: bytes, plain: Run, tmp_path) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / name).write_bytes(content)
    with pytest.raises(UserError, match=f"did not write .*{name}"):
        analyze_run("toy", plain, out)
    assert [(p.name, p.read_bytes()) for p in out.iterdir()] == [(name, content)]


def test_a_picture_of_ours_without_its_values_is_replaced_anywhere(plain: Run, tmp_path) -> None:
    analyze_run("toy", plain, tmp_path / "out")
    (tmp_path / "out" / "toy.json").unlink()
    analyze_run("toy", plain, tmp_path / "out")


def test_both_older_files_stay_where_one_cannot_be_written(plain: Run, monkeypatch) -> None:
    _, written = analyze_run("toy", plain)
    before = [path.read_bytes() for path in written]

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mtgan.files.write.flush", full)
    with pytest.raises(UserError, match="could not be written: there is no space left"):
        analyze_run("toy", plain)
    assert [path.read_bytes() for path in written] == before
    assert sorted(p.name for p in written[0].parent.iterdir()) == ["toy.json", "toy.png"]


@pytest.mark.parametrize(
    "change",
    [
        lambda json_file, picture: json_file.write_text(""),
        lambda json_file, picture: json_file.write_text("[1]"),
        lambda json_file, picture: json_file.write_text('{"step": 3}'),
        lambda json_file, picture: json_file.write_text('{"verdict": 3, "step": 3}'),
        lambda json_file, picture: json_file.write_text('{"verdict": "x", "step": "3"}'),
        lambda json_file, picture: picture.write_bytes(picture.read_bytes()[:200]),
        lambda json_file, picture: picture.write_bytes(b""),
        lambda json_file, picture: picture.unlink(),
    ],
)
def test_an_answer_that_cannot_be_read_is_named(change, plain: Run) -> None:
    _, (picture, target) = analyze_run("toy", plain)
    assert [answer.name for answer in answers_in(plain)[0]] == ["toy"]
    change(target, picture)
    answers, notes = answers_in(plain)
    assert answers == []
    assert len(notes) == 1
    assert f"mtgan analyze toy {plain.path} writes it anew" in notes[0]
