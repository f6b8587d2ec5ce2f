"""What lies below a folder: links, files of any ending, and what is no file at all."""

import os
import socket
from pathlib import Path

import pytest
from PIL import Image

from mtgan.data.folders.tree import left_out_notes, read_tree
from mtgan.errors import UserError


@pytest.fixture
def folder(tmp_path: Path, paint) -> Path:
    for name in ("a/0.png", "a/1.png", "b/0.png"):
        paint(tmp_path / "set" / name)
    return tmp_path / "set"


def names(folder: Path) -> list[str]:
    return ["/".join(place) for place in read_tree(folder).pictures]


def told(folder: Path) -> list[str]:
    return left_out_notes(read_tree(folder).left_out)


PICTURES = ["a/0.png", "a/1.png", "b/0.png"]


def test_plain(folder: Path) -> None:
    (folder / "empty").mkdir()
    tree = read_tree(folder)
    assert tree.pictures == [("a", "0.png"), ("a", "1.png"), ("b", "0.png")]
    assert tree.folders == {("a",), ("b",), ("empty",)}
    assert tree.left_out == {}


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        (".jfif", "JPEG"),
        (".jpe", "JPEG"),
        (".JPG", "JPEG"),
        (".pnm", "PPM"),
        (".pbm", "PPM"),
        (".dib", "DIB"),
        (".tga", "TGA"),
        ("", "PNG"),
        ("", "JPEG"),
        ("", "WEBP"),
        (".dat", "TIFF"),
        (".1", "GIF"),
        (".image", "BMP"),
    ],
)
def test_endings_and_first_bytes(folder: Path, ending: str, kind: str) -> None:
    Image.new("RGB", (8, 8), "red").save(folder / f"b/x{ending}", kind)
    assert names(folder) == [*PICTURES, f"b/x{ending}"]
    assert told(folder) == []


def test_other_files_are_counted_by_their_endings(folder: Path) -> None:
    for name in ("README", "a/x.heic", "a/0.xml", "a/1.xml", "b/0.xml", "Thumbs.db"):
        (folder / name).write_bytes(b"BM or P5, but no picture")
    (folder / "b" / "empty").touch()
    assert names(folder) == PICTURES
    assert told(folder) == [
        "Left out 7 files (no pictures of a format that is read: 3 .xml, 2 no ending, 1 .db, "
        "1 .heic): README, Thumbs.db, a/0.xml and 4 more."
    ]


def test_hidden_pictures_are_counted_and_other_hidden_files_are_not(folder: Path, paint) -> None:
    for name in (".x.png", ".cache/y.png", ".cache/in/z.png", "__MACOSX/a/0.png"):
        paint(folder / name)
    for name in (".DS_Store", "a/._0.png", "__MACOSX/._a", ".cache/list.txt"):
        (folder / name).write_bytes(b"\0\5\26\7")
    assert names(folder) == PICTURES
    assert told(folder) == [
        "Left out 4 files (hidden): .cache/in/z.png, .cache/y.png, .x.png and 1 more."
    ]


def test_links_are_followed(folder: Path, tmp_path: Path, paint) -> None:
    paint(tmp_path / "elsewhere" / "in" / "2.png")
    (folder / "c").symlink_to(tmp_path / "elsewhere")
    (folder / "b" / "1.png").symlink_to(folder / "a" / "1.png")
    assert names(folder) == [*PICTURES, "b/1.png", "c/in/2.png"]
    (tmp_path / "link").symlink_to(folder)
    assert names(tmp_path / "link") == names(folder)


def test_links_that_lead_in_circles(folder: Path, tmp_path: Path, paint) -> None:
    paint(tmp_path / "other" / "3.png")
    (tmp_path / "other" / "back").symlink_to(folder)
    (folder / "a" / "up").symlink_to("..")
    (folder / "a" / "self").symlink_to(".")
    (folder / "a" / "b").symlink_to("../b")
    (folder / "b" / "a").symlink_to("../a")
    (folder / "c").symlink_to(tmp_path / "other")
    (folder / "root").symlink_to("/")
    assert names(folder) == [*PICTURES, "c/3.png"]
    (note,) = told(folder)
    assert note.startswith("Left out 6 files (links to folders that are read already, or lead in")


def test_links_that_lead_nowhere(folder: Path) -> None:
    (folder / "a" / "gone.png").symlink_to("nothing.png")
    (folder / "a" / "this.png").symlink_to("that.png")
    (folder / "a" / "that.png").symlink_to("this.png")
    assert names(folder) == PICTURES
    assert told(folder) == [
        "Left out 3 files (links that lead nowhere): a/gone.png, a/that.png, a/this.png."
    ]


def test_pipes_sockets_and_devices_are_not_waited_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(folder / "a" / "pipe.png")
    os.mkfifo(folder / "labels")
    (folder / "a" / "zero.png").symlink_to("/dev/zero")
    monkeypatch.chdir(folder)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("b/s.jpg")
        assert names(folder) == PICTURES
        assert told(folder) == [
            "Left out 4 files (pipes, sockets or devices): a/pipe.png, a/zero.png, b/s.jpg and 1 "
            "more."
        ]


def test_a_folder_called_as_a_picture(folder: Path, paint) -> None:
    paint(folder / "cats.png" / "0.png")
    assert names(folder) == [*PICTURES, "cats.png/0.png"]


def test_names_are_shown_without_what_acts_on_a_terminal(folder: Path) -> None:
    (folder / "x.\x1b[2J").touch()
    (folder / os.fsdecode(b"caf\xe9.txt")).touch()
    assert told(folder)[0].endswith(r"1 .txt, 1 .\x1b[2j): caf\udce9.txt, x.\x1b[2J.")


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"The folder .*none cannot be read: no such file"):
        read_tree(tmp_path / "none")
