"""Words from outside as text and nothing else: no markup, no terminal escapes, no shell syntax."""

import shlex
import unicodedata

# Controls, format characters that turn the order of writing, surrogates (bytes that are no UTF-8).
_UNSEEN = {"Cc", "Cs"}
_TURNING = set("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: object) -> str:
    """The text with control characters, and others that act on a terminal, written as escapes.

    Line ends and tabs stay. What is printable comes out as it went in.
    """
    return "".join(
        character
        if character in "\n\t"
        or not (unicodedata.category(character) in _UNSEEN or character in _TURNING)
        else character.encode("unicode_escape").decode("ascii")
        for character in str(text)
    )


def command(*words: object) -> str:
    """A command line that a shell reads as exactly these words."""
    return shlex.join(str(word) for word in words)
