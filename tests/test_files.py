"""Strict YAML, whole files, whole folders, one cache, one lock."""

import errno
import os
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mtgan import files
from mtgan.errors import UserError

# YAML


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("off", "off"),
        ("true", True),
        ("007", "007"),
        ("-5", -5),
        ("1e-4", 1e-4),
        ("1.5", 1.5),
        ("1:30", "1:30"),
        ("2017-01-01", "2017-01-01"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("null", None),
        ("", None),
        ("[1, a]", [1, "a"]),
    ],
)
def test_scalars_of_yaml(text: str, value: object) -> None:
    assert files.parse_yaml(f"key: {text}", "The text") == {"key": value}


@pytest.mark.parametrize("text", ["yes", "007", "1e-4", "null", "~", "1.10", "true"])
def test_names_come_out_as_they_went_in(text: str) -> None:
    assert files.parse_yaml(f"{text}: {text}", "The text", strings=True) == {text: text}


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("steps: 10\nsteps: 200", "names 'steps' twice .line 2"),
        ("a: {b: 1, b: 2}", "names 'b' twice"),
        ("a: &x [*x]", "leads back into itself"),
        ("[" * 5000, "nested too deeply"),
        (LAUGHS, "over a million values"),
        ("? [1, 2]\n: 3", "a key should be one value"),
        ("a: !!python/object:os.system x", "could not determine a constructor"),
        ("\x00", "not allowed"),
    ],
)
def test_what_is_no_yaml_of_ours(text: str, says: str) -> None:
    for strings in (False, True):
        with pytest.raises(UserError, match=f"(?s)^The text is not valid YAML: .*{says}"):
            files.parse_yaml(text, "The text", strings)


def test_merged_keys_may_be_overridden() -> None:
    text = "a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}"
    assert files.parse_yaml(text, "The text")["b"] == {"k": 3, "l": 2}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=5,
)


@given(st.dictionaries(st.text(), VALUES))
def test_what_is_dumped_is_read_back(values: dict[str, object]) -> None:
    assert files.parse_yaml(files.dump_yaml(values), "The text") == values


@given(
    st.sampled_from(
        [
            "yes",
            "no",
            "on",
            "off",
            "007",
            "1e-4",
            "1:30",
            "null",
            "~",
            "2017-01-01",
            ".5",
            "0x1",
            "1_0",
            "<<",
        ]
    )
)
def test_dumped_names_are_names_to_either_version_of_yaml(name: str) -> None:
    text = files.dump_yaml({name: name})
    assert yaml.safe_load(text) == files.parse_yaml(text, "The text") == {name: name}


# Reading


def test_a_missing_or_odd_file_is_one_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "latin").write_bytes(b"\xe9")
    (tmp_path / "large").write_bytes(b"xx")
    for name, says in {
        "absent": "does not exist",
        "pipe": "no regular file",
        "latin": "not in UTF-8",
        ".": "it is a folder",
        "x" * 300: "the name is too long",
    }.items():
        with pytest.raises(UserError, match=says):
            files.read_text(tmp_path / name, "The list")
    with pytest.raises(UserError, match="too large: 2 bytes, at most 1"):
        files.read_text(tmp_path / "large", limit=1)
    (tmp_path / "half.json").write_text('{"a": ')
    with pytest.raises(UserError, match=r"The list .*half.json is not valid JSON"):
        files.read_json(tmp_path / "half.json", "The list")


# Writing


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "x.txt"
    files.write_text(target, "older")
    with pytest.raises(ZeroDivisionError), files.replacing(target) as temporary:
        temporary.write_text(f"half {1 / 0}")
    assert target.read_text() == "older"
    assert list(target.parent.iterdir()) == [target]


def test_a_temporary_file_has_the_ending_of_its_target(tmp_path: Path) -> None:
    with files.replacing(tmp_path / "x.png") as temporary:
        assert (temporary.suffix, temporary.parent) == (".png", tmp_path)
        temporary.touch()


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "no space left on the device; make room"),
        (errno.EIO, "the disk reports an error; check the disk"),
        (errno.EACCES, "permission is denied; name another place"),
        (errno.EROFS, "the file system is read-only; name another place"),
    ],
)
def test_a_failed_write_is_one_sentence_and_the_older_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, says: str
) -> None:
    target = tmp_path / "x.json"
    files.write_json(target, 1)

    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(UserError, match=says):
        files.write_json(target, 2)
    assert files.read_json(target) == 1
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="it is a folder"):
        files.write_text(tmp_path, "x")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="could not be written: "):
        files.write_text(tmp_path / "file" / "x", "x")


def test_a_pipe_is_no_file_to_replace(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="it is a pipe, socket or device"):
        files.write_text(tmp_path / "pipe", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_folder_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "run"
    with pytest.raises(ZeroDivisionError), files.new_folder(target) as temporary:
        (temporary / "a").write_text(f"half {1 / 0}")
    assert list(tmp_path.iterdir()) == []
    target.mkdir()  # an empty one is no obstacle
    with files.new_folder(target) as temporary:
        (temporary / "a").touch()
        assert not (target / "a").exists()
    assert [file.name for file in target.iterdir()] == ["a"]
    with pytest.raises(UserError, match="exists already"), files.new_folder(target) as temporary:
        (temporary / "b").touch()
    assert [file.name for file in target.iterdir()] == ["a"]
    assert list(tmp_path.iterdir()) == [target]


def test_what_killed_processes_left_is_removed_in_time(tmp_path: Path) -> None:
    old, new = tmp_path / ".partial-00000000-x[1].txt", tmp_path / ".partial-00000001-x[1].txt"
    for leftover in (old, new):
        leftover.touch()
    os.utime(old, (time.time() - 7200,) * 2)
    files.write_text(tmp_path / "x[1].txt", "")
    assert not old.exists()
    assert new.exists()


# The cache and the lock


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path) -> None:
    assert files.cache_folder() == cache
    monkeypatch.delenv("MTGAN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert files.cache_folder() == tmp_path / "mtgan"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert files.cache_folder() == tmp_path / "home" / ".cache" / "mtgan"


def test_one_cache_for_data_and_evaluation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from mtgan.evaluation.cache import cache_dir

    monkeypatch.delenv("MTGAN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_dir("features") == tmp_path / "mtgan" / "features"


def test_a_folder_is_held_by_one(tmp_path: Path) -> None:
    lock = files.hold(tmp_path, "writing to")
    with pytest.raises(UserError, match="Another process is writing to"):
        files.hold(tmp_path, "writing to", timeout_seconds=0.1)
    lock.release()
    files.hold(tmp_path, "writing to").release()
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="could not be written"):
        files.hold(tmp_path / "file", "writing to")


def test_lines_are_added_at_the_end_of_a_file_in_a_folder_that_exists(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for line in (b"a\n", b"b\n"):
        files.append(log, line)
    assert log.read_bytes() == b"a\nb\n"
    with pytest.raises(UserError, match=r"its folder is not there \(any more\); buy a disk\."):
        files.append(tmp_path / "gone" / "log", b"x", "buy a disk")
    assert not (tmp_path / "gone").exists()


def test_leftovers_are_removed_by_who_holds_the_folder(tmp_path: Path) -> None:
    names = {".partial-01234567-a", ".partial-01234567-b[1]", ".lock", "a"}
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    files.remove_partial(tmp_path, "b[1]")
    assert {path.name for path in tmp_path.iterdir()} == names - {".partial-01234567-b[1]"}
    files.remove_partial(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "a"}
    target = tmp_path / "a" / "file"
    (tmp_path / "link").symlink_to(tmp_path / "a")
    files.remove(tmp_path / "link")
    assert target.exists()
