"""Words from outside in LaTeX and Markdown: they come out as they went in, and are no markup."""

import re

from mtgan.text import printable

_LATEX = {
    **{char: f"\\{char}" for char in "&%$#_{}"},
    **{char: f"{{{char}}}" for char in "[]*"},  # after a line's end they mean more
    "`": r"\textasciigrave{}",
    "|": r"\textbar{}",
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "·": r"$\cdot$",
    "–": "--",
    "—": "---",
    "↓": r"$\downarrow$",
    "↑": r"$\uparrow$",
    "∞": r"$\infty$",
    "…": r"\dots{}",
}
# What Markdown reads as markup: everywhere, as the beginning of a tag, link or entity, around a
# word, and at the beginning of a line.
_MARKUP = (
    r"[\\`*|~$]",
    r"<(?=[A-Za-z/!?])",
    r"\[(?=[^]]*\][(\[:])",
    r"&(?=#?\w+;)",
    r"(?<!\w)_",
    r"_(?!\w)",
    r"^[#>]",
)


def latex(text: str) -> str:
    """Text as LaTeX source of one line."""
    # Two hyphens would become a dash.
    parts = re.split(r"(?<=-)(?=-)", _one_line(text))
    return "{}".join("".join(_LATEX.get(char, char) for char in part) for part in parts)


def markdown(text: str) -> str:
    """Text as Markdown of one line, also within a table."""
    return re.sub(f"({'|'.join(_MARKUP)})", r"\\\1", _one_line(text))


def _one_line(text: str) -> str:
    return printable(" ".join(text.splitlines()))
