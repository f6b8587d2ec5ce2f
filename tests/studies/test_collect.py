"""A study's folder: made whole, left as it is where nothing has changed, read back strictly."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mtgan.errors import UserError
from mtgan.files import dump_yaml, parse_yaml
from mtgan.reports.study import write_study_report
from mtgan.studies.collect import StudyResult, begin_folder, tidy_rows, write_plan, write_table
from mtgan.studies.conclusions import conclude
from mtgan.studies.plan import StudyPlan, make_plan
from mtgan.studies.schema import Study
from studies_toys import TINY

VALUES = {name: {"frechet_distance": [4.0, 3.0]} for name in ("a", "b")}


def toy_plan(**keys: object) -> StudyPlan:
    return make_plan(Study.model_validate({**TINY, **keys}))


# Made whole or not at all


def test_folders_of_others_are_left_alone(fake, tmp_path: Path) -> None:
    result = fake(VALUES)
    other = make_plan(result.study.model_copy(update={"name": "another"}))
    with pytest.raises(UserError, match="holds the study fake"):
        begin_folder(other, result.path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(UserError, match="not a study folder"):
        begin_folder(other, tmp_path / "mine")
    with pytest.raises(UserError, match="is not a study folder"):
        StudyResult.open(tmp_path / "mine")
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


@pytest.mark.parametrize("empty", [False, True], ids=["absent", "empty"])
def test_a_folder_that_cannot_be_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty: bool
) -> None:
    out = tmp_path / "out"
    if empty:
        out.mkdir()
    before = sorted(tmp_path.rglob("*"))
    for name in ("replace", "rename", "fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, full)
            with pytest.raises(UserError, match="no space left on the device; make room"):
                begin_folder(toy_plan(), out)
        assert sorted(tmp_path.rglob("*")) == before
    begin_folder(toy_plan(), out)
    assert StudyResult.open(out).study.name == "toy"


def full(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_study_that_is_begun_again_is_not_written_again(fake) -> None:
    result = fake(VALUES)
    plan = make_plan(result.study)
    write_plan(plan, result.path)
    files = [result.path / name for name in ("study.yaml", "plan.json")]
    before = [(file.stat().st_ino, file.stat().st_mtime_ns) for file in files]
    begin_folder(plan, result.path)
    write_plan(plan, result.path)
    assert [(file.stat().st_ino, file.stat().st_mtime_ns) for file in files] == before


def test_a_full_disk_leaves_the_older_files(fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another seed changes study.yaml, plan.json and the tables; none of them is lost."""
    result = fake(VALUES)
    pages = write_study_report(result)
    files = [f for f in result.path.iterdir() if f.is_file()]
    before = {file: file.read_bytes() for file in files}
    assert len(before) == 8
    grown = make_plan(result.study.model_copy(update={"seeds": [0, 1, 2]}))
    monkeypatch.setattr(os, "fsync", full)
    for work in (
        lambda: write_plan(grown, result.path),
        lambda: write_table(result),
        lambda: write_study_report(result),
        lambda: write_study_report(result, pages[0]),
    ):
        with pytest.raises(UserError, match="could not be written: there is no space left"):
            work()
    assert {f: f.read_bytes() for f in result.path.iterdir() if f.is_file()} == before


# Edited by hand


def test_what_was_edited_is_one_sentence_with_file_and_key(fake) -> None:
    result = fake(VALUES)
    run = next(iter(result.results))
    for name, key, value, said in (
        ("plan.json", "cells", None, "cells"),
        ("plan.json", "pairs", [["a", "c"]], "pairs names 'c', and no cell is called so"),
        (f"runs/{run}/result.json", "seconds", "long", "seconds"),
        (f"runs/{run}/result.json", "values", {"x": 3}, "values.x"),
        ("failures.json", run, 3, run),
    ):
        file = result.path / name
        before = file.read_text() if file.exists() else None
        values = json.loads(before) if before else {}
        file.write_text(json.dumps(values | {key: value}))
        with pytest.raises(UserError) as error:
            read(result.path)
        assert str(file) in str(error.value)
        assert said in str(error.value)
        assert "\n" not in str(error.value)
        file.write_text(before) if before else file.unlink()
    read(result.path)


def read(path: Path) -> None:
    """All that is read of a study's folder, but for the runs' own files."""
    result = StudyResult.open(path)
    tidy_rows(result)
    assert isinstance(result.failures, dict)
    conclude(result)


@pytest.mark.parametrize("name", ["plan.json", "study.yaml", "failures.json", "result.json"])
def test_no_edit_ends_in_anything_but_a_sentence(fake, name: str) -> None:
    result = fake(VALUES)
    run = next(iter(result.results))
    (result.path / "failures.json").write_text(json.dumps({"gone-s0-abc": "it diverged"}))
    file = result.path / (f"runs/{run}/result.json" if name == "result.json" else name)
    yaml = file.suffix == ".yaml"
    before = file.read_text()
    values = parse_yaml(before, name) if yaml else json.loads(before)
    edits = [dump_yaml(v) if yaml else json.dumps(v) for v in edited(values)]
    if yaml:  # slow to read: some of all, and still those of every key
        edits = edits[::5]
    for text in [*edits, *(before[: len(before) * part // 7] for part in range(7))]:
        file.write_text(text)
        assert str(file) in said_of(result.path), text


def said_of(path: Path) -> str:
    """What reading a folder ends in: the sentence of an error, or the names of all files."""
    try:
        read(path)
    except UserError as error:
        return str(error)
    return " ".join(map(str, path.rglob("*")))


def edited(values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The values with each key, also of what is in it, taken away or something else."""
    for key, value in values.items():
        yield {k: v for k, v in values.items() if k != key}
        yield from ({**values, key: other} for other in (None, "x", -1, []))
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict):
            for change in edited(inner):
                yield {**values, key: [change] if isinstance(value, list) else change}


def test_a_pipe_in_place_of_a_file_is_not_waited_for(fake) -> None:
    result = fake(VALUES)
    (result.path / "failures.json").unlink(missing_ok=True)
    os.mkfifo(result.path / "failures.json")
    with pytest.raises(UserError, match="no regular file"):
        read(result.path)


def test_a_run_is_a_folder_of_the_study(fake) -> None:
    """A name that leads elsewhere is no run."""
    result = fake(VALUES)
    file = result.path / "plan.json"
    plan = json.loads(file.read_text())
    for name in ("../../secret", "..", "a/b", ""):
        plan["cells"][0]["runs"]["0"] = name
        file.write_text(json.dumps(plan))
        with pytest.raises(UserError, match=r"cells\.0\.runs"):
            StudyResult.open(result.path)
