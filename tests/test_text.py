"""Words from outside are text."""

import shlex
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtgan.text import command, console, duration, file_name, literal, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("crane [red] :smile: $x$ <b> 漢字 éä", "crane [red] :smile: $x$ <b> 漢字 éä"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\u202eb", "a\\u202eb"),
        ("caf\udce9", "caf\\udce9"),
        ("a\r\n\tb", "a\\r\n\tb"),
        (7, "7"),
    ],
)
def test_printable(text: object, shown: str) -> None:
    assert printable(text) == shown


@given(st.lists(st.text(min_size=0)))
def test_a_command_is_read_by_the_shell_as_its_words(words: list[str]) -> None:
    assert shlex.split(command(*words)) == words


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("wgan-gp-digits-s0", "wgan-gp-digits-s0"),
        ("r un [x] é漢", "r un [x] é漢"),
        ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("", "%"),
        ("-rf", "%2Drf"),
        ("a\x1b[31m\n", "a%1B[31m%0A"),
        ("100%", "100%25"),
        ("caf\udce9", "caf%E9"),
    ],
)
def test_a_name_as_a_file(name: str, file: str) -> None:
    assert file_name(name) == file


@given(st.text(), st.text())
def test_unlike_names_are_unlike_files_below_their_folder(one: str, other: str) -> None:
    files = [file_name(one), file_name(other)]
    assert (files[0] == files[1]) == (one == other)
    for file in files:
        assert PurePath("folder", file).parent == PurePath("folder")
        assert ".." not in PurePath(file).parts
        assert len(file.encode()) <= 150


def test_a_console_to_which_all_is_text(monkeypatch) -> None:
    from rich.table import Table

    written = console()
    table = Table("[b]", "x", title="[/b]:smile:")
    table.add_row("[red]apple[/]", "x:dog:y \x1b[31m")
    with written.capture() as captured:
        written.print(table)
        written.print("and[/or] :cat:")
        written.print(literal("[i] \x07"))
    for text in ("[b]", "[/b]:smile:", "[red]apple[/]", "x:dog:y \\x1b[31m", "and[/or] :cat:"):
        assert text in captured.get()
    assert "[i] \\x07" in captured.get()
    assert "\x1b" not in captured.get()


def test_times_are_in_words() -> None:
    seconds = {40: "40 s", 720: "12 min", 12_600: "3.5 hours", 181_440: "2.1 days"}
    assert {key: duration(key) for key in seconds} == seconds
