r"""Words in pictures: every word stands as it is written, in a font that has its letters.

DejaVu Sans, which comes with matplotlib, has Latin, Greek and Cyrillic; what it lacks is looked for
in the fonts that are installed. A letter that no font has is written as \uXXXX, so that names stay
apart, and a warning says so: no picture shows empty boxes in place of names.
"""

import re
import unicodedata
import warnings
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtgan import files
from mtgan.errors import UserError
from mtgan.text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.ImageDraw import ImageDraw

_SPACES = set(" \n\t\u00a0")
# Fonts for letters come first, of which an installed one most likely has what is missing; those
# that draw a box for everything, or have codes of their own, do not count.
_LIKELY = re.compile("cjk|noto sans|source han|wenquanyi|gothic|ming|song|hei|nanum|arial", re.I)
_UNFIT = re.compile(r"last ?resort|emoji|^cm|symbol|dingbat", re.I)
_MARK = "mtgan"
_LONGEST = 80  # letters of a label in a grid


class MissingLetters(UserWarning):
    """No installed font has some letters of a picture's words."""


@lru_cache(maxsize=1)
def _usual() -> str:
    """The file of DejaVu Sans."""
    import matplotlib

    return str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"))


@lru_cache(maxsize=256)
def _letters(file: str) -> frozenset[str]:
    """The letters that a font has; none of a file that cannot be read."""
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(map(chr, FT2Font(file).get_charmap()))
    except (OSError, RuntimeError, ValueError):
        return frozenset()


@lru_cache(maxsize=1)
def _installed() -> tuple[tuple[str, str], ...]:
    """(family, file) of the fonts of this machine, those for letters first."""
    from matplotlib.font_manager import fontManager

    found = {
        entry.name: entry.fname
        for entry in sorted(
            fontManager.ttflist,
            key=lambda e: (e.style == "normal", str(e.weight) == "400", e.fname),
        )
        if not _UNFIT.search(entry.name)
    }
    return tuple(sorted(found.items(), key=lambda font: not _LIKELY.search(font[0])))


class Lettering:
    """The fonts for some words.

    families: names for matplotlib, which takes each letter from the first that has it.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.families = ["DejaVu Sans"]
        self._files = [_usual()]
        rest = set("".join(map(_plain, words))) - _SPACES - _letters(_usual())
        for family, file in _installed() if rest else ():
            if has := rest & _letters(file):
                self.families.append(family)
                self._files.append(file)
                rest -= has
            if not rest:
                break
        self._missing = rest
        if rest:
            some = "".join(sorted(rest)[:10])
            warnings.warn(
                f"no installed font has the letters {some}; pictures show their codes instead "
                f"({self.shown(some[0])}). Install one that has them, as Noto Sans CJK.",
                MissingLetters,
                stacklevel=3,
            )

    def shown(self, word: str) -> str:
        """The word with escapes for what cannot be drawn."""
        return "".join(
            letter.encode("unicode_escape").decode() if letter in self._missing else letter
            for letter in _plain(word)
        )

    def width(self, word: str, size: int) -> int:
        """Pixels that a line takes at this size of letters, rounded up."""
        return round(sum(font.getlength(part) for part, font in self._runs(word, size)) + 0.5)

    def draw(self, canvas: "ImageDraw", left: float, baseline: float, word: str, size: int) -> None:
        """Write a line in black."""
        for part, font in self._runs(word, size):
            canvas.text((left, baseline), part, fill="black", font=font, anchor="ls")
            left += font.getlength(part)

    def _runs(self, word: str, size: int) -> list[tuple[str, Any]]:
        """Parts of a line, each with the font that has its letters."""
        line = self.shown(word).replace("\n", "\\n").replace("\t", "\\t")
        if len(line) > _LONGEST:
            line = f"{line[: _LONGEST - 21]}…{line[-20:]}"
        runs: list[tuple[str, str]] = []
        for letter in line:
            file = next((f for f in self._files if letter in _letters(f)), self._files[0])
            if runs and (runs[-1][1] == file or letter in _SPACES):
                runs[-1] = (runs[-1][0] + letter, runs[-1][1])
            else:
                runs.append((letter, file))
        return [(part, _font(file, size)) for part, file in runs]


@lru_cache(maxsize=64)
def _font(file: str, size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(file, size, layout_engine=ImageFont.Layout.BASIC)


def _plain(word: str) -> str:
    """Composed, so that an accent needs no font that puts it over its letter; without controls."""
    return printable(unicodedata.normalize("NFC", word))


# Figures


def letter_figure(figure: "Figure", escapes: bool = True) -> None:
    """Let every word of a figure that is done stand as it is written; to be called once.

    Dollar signs begin no formula; letters come from fonts that have them. escapes: whether letters
    that no font here has are written as codes; not where the picture is drawn elsewhere (SVG).
    """
    from matplotlib.category import StrCategoryFormatter
    from matplotlib.text import Text
    from matplotlib.ticker import FixedFormatter, FuncFormatter

    texts = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text()]
    ticks = [
        (axis, list(axis.get_majorticklocs()), axis.get_major_formatter())
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
    ]
    words = [
        (axis, places, formatter.format_ticks(places))
        for axis, places, formatter in ticks
        if isinstance(formatter, FixedFormatter | FuncFormatter | StrCategoryFormatter)
    ]
    everything = [*(t.get_text() for t in texts), *(w for *_, labels in words for w in labels)]
    lettering = Lettering(everything) if escapes else None

    def literal(word: str) -> str:
        return (lettering.shown(word) if lettering else printable(word)).replace("$", r"\$")

    for text in texts:
        text.set_text(literal(text.get_text()))
    for axis, places, labels in words:
        axis.set_ticks(places, [literal(label) for label in labels])
    if lettering is not None and len(lettering.families) > 1:
        for text in figure.findobj(Text):
            text.set_fontfamily(lettering.families)


def save_figure(figure: "Figure", path: str | Path, dpi: int = 110) -> Path:
    """Write a figure that is done, whole or not at all; the suffix decides the format.

    Raises:
        UserError: A suffix that cannot be drawn, or a place that cannot be written.
    """
    path = Path(path)
    known = figure.canvas.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in known:
        raise UserError(
            f"The picture cannot be written to {path}: its ending should be one of "
            f"{', '.join(f'.{ending}' for ending in sorted(known))}."
        )
    letter_figure(figure)
    metadata = {"Software": _MARK} if path.suffix.lower() == ".png" else None
    with files.replacing(path) as temporary:
        figure.savefig(temporary, dpi=dpi, metadata=metadata)
    return path


def is_ours(path: Path) -> bool:
    """Whether a picture is a PNG that save_figure wrote."""
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as image:
            return image.info.get("Software") == _MARK
    except Exception:  # whatever a decoder raises of a file that is none of ours
        return False
