"""Words in pictures stand as they are written, in fonts that have their letters."""

import warnings
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image, ImageDraw

from mtgan import lettering
from mtgan.data.images import make_grid
from mtgan.errors import UserError
from mtgan.lettering import Lettering, MissingLetters, is_ours, letter_figure, save_figure

FONTS = Path(matplotlib.get_data_path(), "fonts", "ttf")
# In a font that matplotlib ships, and not in DejaVu Sans: stands for a Chinese font that is there.
SCRIPT = "\u2336"
CHINESE = "\u6f22\u5b57"


@pytest.fixture
def fonts(monkeypatch):
    """Sets which fonts are installed besides DejaVu Sans."""

    def install(**families: str) -> None:
        found = tuple(
            (name.replace("_", " "), str(FONTS / file)) for name, file in families.items()
        )
        monkeypatch.setattr(lettering, "_installed", lambda: found)

    install()
    return install


@pytest.fixture(autouse=True)
def no_empty_boxes():
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Glyph")
        yield


@pytest.mark.parametrize("word", ["Größe", "naïve", "Ελλάδα", "Москва", "[red] :dog: $x$ <b>"])
def test_what_dejavu_has_is_drawn_as_it_is(word: str, fonts) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Lettering([word])
    assert found.shown(word) == word
    assert found.families == ["DejaVu Sans"]


def test_an_accent_in_two_spellings_is_one_word(fonts) -> None:
    assert Lettering(["e\u0301"]).shown("e\u0301") == "é"


def test_an_installed_font_that_has_the_letters_is_taken(fonts) -> None:
    fonts(DejaVu_Sans_Mono="DejaVuSansMono.ttf")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Lettering(["a" + SCRIPT])
    assert found.families == ["DejaVu Sans", "DejaVu Sans Mono"]
    assert found.shown(SCRIPT) == SCRIPT
    assert found.width(SCRIPT, 12) < found.width("\\u2336", 12)


def test_letters_that_no_font_has_keep_names_apart_and_are_told(fonts) -> None:
    with pytest.warns(MissingLetters, match="no installed font has the letters .*Noto Sans CJK"):
        found = Lettering([CHINESE, "plain"])
    assert found.shown(CHINESE) == "\\u6f22\\u5b57"
    assert found.shown("plain") == "plain"


def test_a_line_stays_a_line_and_within_bounds(fonts) -> None:
    found = Lettering(["a\nb\x1b[31m", "m" * 5000])
    assert found.width("a\nb", 12) == found.width("a\\nb", 12)
    assert found.width("m" * 5000, 12) < 1500
    one, other = "m" * 5000 + "a", "m" * 5000 + "b"
    assert [part for part, _ in found._runs(one, 12)] != [p for p, _ in found._runs(other, 12)]


def ink(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L")) < 128


def test_labels_of_a_grid_have_the_room_that_they_take(fonts) -> None:
    images = np.full((4, 1, 32, 32), 255, np.uint8)
    narrow, wide = (make_grid(images, 2, row_labels=[x * 8, "b"]) for x in ("i", "W"))
    assert narrow.width < wide.width
    margin = wide.width - make_grid(images, 2).width
    columns = np.flatnonzero(ink(wide).any(axis=0))
    assert columns.min() >= 2
    assert columns.max() < margin - 2


def test_accents_are_drawn(fonts) -> None:
    images = np.full((1, 1, 32, 32), 255, np.uint8)
    plain, accented = (ink(make_grid(images, 1, row_labels=[x])) for x in ("e", "é"))
    assert accented.sum() > plain.sum()


def test_runs_of_several_fonts_stand_beside_each_other(fonts) -> None:
    fonts(DejaVu_Sans_Mono="DejaVuSansMono.ttf")
    word = f"a{SCRIPT}b"
    found = Lettering([word])
    canvas = Image.new("L", (200, 40), "white")
    found.draw(ImageDraw.Draw(canvas), 5, 25, word, 20)
    assert len(found._runs(word, 20)) == 3
    assert np.flatnonzero(ink(canvas).any(axis=0)).max() <= 5 + found.width(word, 20)


def figure(*words: str) -> Figure:
    """A figure with a title, labels at ticks, a category axis and a legend of these words."""
    made = Figure(figsize=(6, 3), layout="constrained")
    made.suptitle(" ".join(words), wrap=True)
    left, right = made.subplots(1, 2)
    left.barh(list(words), range(1, len(words) + 1), label=words[0])
    left.legend()
    right.plot([1, 2], [1, 1000])
    right.set_yscale("log")
    right.set_xticks(range(len(words)), words)
    return made


WORDS = ("$5", "a$b$", r"$\frac{$", "[b]", CHINESE)


def test_a_figure_shows_every_word_as_it_is(fonts, tmp_path: Path) -> None:
    made = figure(*WORDS)
    with pytest.warns(MissingLetters):
        assert save_figure(made, tmp_path / "x.png") == tmp_path / "x.png"
    drawn = [text for text in made.findobj(Text) if text.get_text()]
    shown = [text._preprocess_math(text.get_text()) for text in drawn]  # what is drawn, and how
    for word in (*WORDS[:-1], "\\u6f22\\u5b57"):
        assert (word, False) in shown
    assert any(math and "10^" in text for text, math in shown)  # the powers of the axis stay


def test_letters_of_a_figure_come_from_the_font_that_has_them(fonts, tmp_path: Path) -> None:
    fonts(DejaVu_Sans_Mono="DejaVuSansMono.ttf")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_figure(figure("a" + SCRIPT, "b"), tmp_path / "x.png")


def test_what_is_drawn_elsewhere_keeps_its_letters(fonts) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", MissingLetters)
        made = figure("$x$", CHINESE)
        letter_figure(made, escapes=False)
    assert f"\\$x\\$ {CHINESE}" in [text.get_text() for text in made.findobj(Text)]


def test_a_picture_of_ours_is_known_again(tmp_path: Path, fonts) -> None:
    ours, other, half = (tmp_path / name for name in ("a.png", "b.png", "c.png"))
    save_figure(figure("x"), ours)
    Figure().savefig(other)
    half.write_bytes(ours.read_bytes()[:20])
    assert [is_ours(path) for path in (ours, other, half, tmp_path)] == [True, False, False, False]


def test_an_ending_that_cannot_be_drawn(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot be written to .*x\.nonsense: its ending should"):
        save_figure(Figure(), tmp_path / "x.nonsense")
    assert list(tmp_path.iterdir()) == []


def test_an_older_picture_stays_where_the_new_one_fails(tmp_path: Path, monkeypatch) -> None:
    target = tmp_path / "x.png"
    target.write_bytes(b"older")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(UserError, match=r"x\.png could not be written: there is no space left"):
        save_figure(Figure(), target)
    assert target.read_bytes() == b"older"
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]
