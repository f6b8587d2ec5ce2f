"""Models that were hardly trained, and what a page holds of them."""

import base64
import gzip
import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from mtgan.data import Dataset, Taxonomy
from mtgan.training import Run, train
from toys import make_bars, make_data, small_recipe

ODD = [
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "漢 & \"'",
]


@pytest.fixture(scope="session")
def tree(tmp_path_factory) -> Run:
    """A generator that is told `fine` (a, b, c, d) and `coarse` (x, y); above them lies `top`."""
    data = make_data(shape=(3, 16, 16), three_levels=True)
    recipe = small_recipe("ac-projection-gan-b", training__steps=2)
    return train(recipe, data, tmp_path_factory.mktemp("explore") / "tree", quiet=True)


@pytest.fixture(scope="session")
def bars(tmp_path_factory) -> Run:
    """A generator that is told the number `place`, from 0 to 90."""
    recipe = small_recipe("ccgan", training__steps=1)
    return train(recipe, make_bars(), tmp_path_factory.mktemp("explore") / "bars", quiet=True)


@pytest.fixture(scope="session")
def odd(tmp_path_factory) -> Run:
    """One whose classes are called as nobody should call them, and that is also told `tone`, which
    is dark for the first class and light for the others."""
    random = np.random.default_rng(0)
    labels = np.stack([np.arange(30) % 3, np.arange(30) % 3 > 0], axis=1)
    taxonomy = Taxonomy(("fine", "tone"), {"fine": tuple(ODD), "tone": ("dark", "light")}, {})
    images = random.integers(0, 256, (30, 1, 8, 8), dtype=np.uint8)
    data = Dataset(images, labels, taxonomy, "odd", "train", spec={"name": "odd"})
    recipe = small_recipe("ac-wgan-a-real", training__steps=1, condition_on=["fine", "tone"])
    return train(recipe, data, tmp_path_factory.mktemp("explore") / "odd", quiet=True)


class Parts(HTMLParser):
    """What a page is made of: its tags with their attributes, and scripts by id."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self.styles: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes) -> None:
        self.tags.append((tag, dict(attributes)))
        self._inside = {"script": dict(attributes).get("id") or "code", "style": "style"}.get(
            tag, ""
        )

    def handle_endtag(self, tag) -> None:
        self._inside = ""

    def handle_data(self, data) -> None:
        if self._inside == "style":
            self.styles.append(data)
        elif self._inside:
            self.scripts[self._inside] = data

    @property
    def facts(self) -> dict:
        return json.loads(self.scripts["facts"])

    def unpacked(self, name: str) -> bytes:
        return gzip.decompress(base64.b64decode(self.scripts[name]))


def parts_of(page: Path | str) -> Parts:
    return Parts(page.read_text("utf-8") if isinstance(page, Path) else page)


def array(text: str, kind: str, *shape: int) -> np.ndarray:
    """An array of the page."""
    return np.frombuffer(base64.b64decode(text), kind).reshape(shape)
