"""Words from outside as text and nothing else: no markup, no terminal escapes, no shell syntax."""

import base64
import hashlib
import io
import shlex
import unicodedata
from collections.abc import Mapping
from html import escape as html_escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

# Controls, format characters that turn the order of writing, surrogates (bytes that are no UTF-8).
_UNSEEN = {"Cc", "Cs"}
_TURNING = set("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LONGEST_NAME = 150  # bytes: room for a beginning and an ending within the 255 of file systems


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


def duration(seconds: float) -> str:
    """A time to wait in words: "40 s", "12 min", "3.5 hours", "2.1 days"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} hours" if seconds < 172_800 else f"{seconds / 86_400:.1f} days"


def file_name(name: str) -> str:
    """A name from outside as the name of one file: unlike names stay unlike, and none leads
    elsewhere.

    What a path or a terminal would take for more than a letter is written as %XX, as in an
    address; a long name is cut, and told from others by a hash.
    """
    text = "".join(
        character
        if character.isprintable() and character not in '%/\\:*?"<>|'
        else "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))
        for character in name
    )
    if not text.strip(". "):
        text = text.replace(".", "%2E").replace(" ", "%20") or "%"
    if text.startswith((".", "~", "-")):
        text = f"%{ord(text[0]):02X}{text[1:]}"
    if len(text.encode()) > _LONGEST_NAME:
        mark = hashlib.sha256(text.encode()).hexdigest()[:12]
        text = text.encode()[: _LONGEST_NAME - 13].decode(errors="ignore") + f"-{mark}"
    return text


def literal(text: object) -> "Text":
    """The text for rich, which else would read [brackets] as markup and :colons: as pictures."""
    from rich.text import Text

    return Text(printable(text))


def console(stderr: bool = False, quiet: bool = False) -> "Console":
    """A terminal to which every string is text: no markup, no :emoji:, no escapes from outside."""
    from rich.console import Console
    from rich.text import Text

    class TextConsole(Console):
        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(printable(text), **options)

    return TextConsole(stderr=stderr, quiet=quiet, markup=False, emoji=False, highlight=False)


def rendered(table: Any, html: bool = False, width: int = 100) -> str:
    """What rich would print, as plain text or as HTML for a notebook."""
    from rich.console import Console

    terminal = Console(file=io.StringIO(), record=True, width=width, markup=False, emoji=False)
    terminal.print(table)
    if not html:
        return "\n".join(line.rstrip() for line in terminal.export_text().splitlines()).rstrip()
    code = '<pre style="line-height:normal">{code}</pre>'
    return terminal.export_html(code_format=code, inline_styles=True)


def html_summary(title: str, rows: Mapping[str, object], picture: bytes | None = None) -> str:
    """A few lines of HTML for a notebook: a title, what it says, and a PNG."""
    cells = "".join(
        f"<tr><th style='text-align:left'>{_escaped(key)}</th>"
        f"<td style='text-align:left'>{_escaped(value)}</td></tr>"
        for key, value in rows.items()
    )
    image = ""
    if picture is not None:
        encoded = base64.b64encode(picture).decode("ascii")
        image = f"<img style='max-width:100%' src='data:image/png;base64,{encoded}'>"
    return f"<div><b>{_escaped(title)}</b><table>{cells}</table>{image}</div>"


def _escaped(text: object) -> str:
    return html_escape(printable(text))
