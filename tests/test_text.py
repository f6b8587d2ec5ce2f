"""Words from outside are text."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtgan.text import command, printable


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
