"""Pictures to read, and a cache of this test's own."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Paint = Callable[..., Path]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder: nothing that an earlier session downloaded is found."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("MTGAN_CACHE", str(folder))
    return folder


@pytest.fixture
def paint() -> Paint:
    """A function that writes a picture of one color (noise where none is given)."""

    def write(
        path: Path,
        color: int | tuple[int, ...] | None = None,
        size: tuple[int, int] = (8, 8),  # height, width
        mode: str = "RGB",
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        if color is None:
            random = np.random.default_rng(sum(path.name.encode()))
            image = Image.fromarray(random.integers(0, 256, (*size, 3)).astype(np.uint8))
            image = image.convert(mode)
        else:
            image = Image.new(mode, (size[1], size[0]), color)
        image.save(path)
        return path

    return write
