"""A run folder begins whole or not at all, and the same command finds it again."""

import shutil
from pathlib import Path

import pytest

from mtgan.errors import UserError
from mtgan.training import Run, train
from mtgan.training.begin import begin_run, find_run
from mtgan.training.dataset_info import DatasetInfo
from toys import make_data, small_recipe


def begin(path: Path, **overrides: object) -> Run:
    data = make_data()
    return begin_run(path, small_recipe(**overrides), data, DatasetInfo.of(data), 0)


def go(out: Path, resume: bool = False, **overrides: object) -> Run:
    recipe = small_recipe(training__steps=2, **overrides)
    return train(recipe, make_data(), out, resume=resume, quiet=True)


@pytest.fixture(scope="module")
def begun(tmp_path_factory) -> Path:
    """A run folder as it is before the first checkpoint."""
    return begin(tmp_path_factory.mktemp("begun") / "run", training__steps=2).path


def test_a_run_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch) -> None:
    def full(file: Path, *_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(UserError, match=r"run could not be written: there is no space left"):
        begin(tmp_path / "run")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("content", [None, b"", 7, -9], ids=["missing", "empty", "start", "cut"])
@pytest.mark.parametrize("name", ["recipe.yaml", "data.json"])
def test_what_a_killed_start_left_is_begun_again(
    tmp_path: Path, begun: Path, name: str, content, resume: bool
) -> None:
    out = tmp_path / "run"
    shutil.copytree(begun, out)
    whole = (out / name).read_bytes()
    (out / name).unlink()
    if content is not None:
        (out / name).write_bytes(whole[:content] if isinstance(content, int) else content)
    (out / ".partial-01234567-recipe.yaml").write_text("x")
    (out / "tensorboard").mkdir()
    data = make_data()
    assert find_run(out, resume, Run.open) is None
    begin_run(out, small_recipe(training__steps=2), data, DatasetInfo.of(data), 0)
    assert (out / name).read_bytes() == whole


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("state", ["absent", "hidden file", "begun", "cut off"])
def test_the_same_command_trains_whatever_a_kill_left(
    tmp_path: Path, begun: Path, state: str, resume: bool
) -> None:
    out = tmp_path / "run"
    if state == "hidden file":
        out.mkdir()
        (out / ".lock").touch()
    if state in {"begun", "cut off"}:
        shutil.copytree(begun, out)
        (tmp_path / ".partial-01234567-run").mkdir()  # of an attempt before that one
    if state == "cut off":
        (out / "recipe.yaml").write_text("")
    assert go(out, resume).steps == [0, 2]
    assert {p.name for p in tmp_path.iterdir()} == {"run"}
    assert not [p for p in out.rglob(".*") if p.name != ".lock"]


def test_a_run_begins_in_the_current_folder_and_in_a_linked_one(
    tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert begin(Path(".")).path == Path(".")
    assert (tmp_path / "here" / "recipe.yaml").is_file()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    begin(tmp_path / "link")
    assert (tmp_path / "elsewhere" / "recipe.yaml").is_file()


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("name", ["thesis.tex", "recipe.yaml", "data.json", "evaluation.json"])
def test_files_of_the_user_are_never_taken_for_a_run(
    tmp_path: Path, name: str, resume: bool
) -> None:
    (tmp_path / name).write_text("name: mine  # with remarks\n")
    with pytest.raises(UserError, match=r"exists already|was begun otherwise"):
        go(tmp_path, resume)
    assert (tmp_path / name).read_text() == "name: mine  # with remarks\n"
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    for resume in (False, True):
        with pytest.raises(UserError, match="exists already and is no folder"):
            go(tmp_path / "run", resume)


def test_a_begun_run_is_gone_on_with_by_its_own_command_alone(tmp_path: Path, begun: Path) -> None:
    shutil.copytree(begun, tmp_path / "run")
    with pytest.raises(UserError, match=r"penalty.weight \(10.0 then, 3.0 now\)"):
        go(tmp_path / "run", penalty__weight=3.0)
    with pytest.raises(
        UserError, match="seed should be a whole number from 0 to 2,147,483,647; found -1"
    ):
        train(small_recipe(), make_data(), tmp_path / "new", seed=-1)
