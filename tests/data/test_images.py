"""Fitting pictures to a size, and grids of samples."""

from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from mtgan.data.images import fit_image, make_grid, resize_samples, save_grid, to_image


def test_own_size_is_kept_exactly() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    for size in (None, (5, 7)):
        fitted = fit_image(Image.fromarray(pixels), size, 3)
        np.testing.assert_array_equal(fitted, pixels.transpose(2, 0, 1))
    assert fitted.flags.c_contiguous


@pytest.mark.parametrize("own", [(10, 10), (300, 20), (20, 300), (64, 128), (65, 127), (1, 1)])
@pytest.mark.parametrize("size", [(28, 28), (64, 128), (128, 64)])
def test_any_size_to_any_size(own: tuple[int, int], size: tuple[int, int]) -> None:
    image = Image.new("RGB", (own[1], own[0]), (10, 20, 30))
    fitted = fit_image(image, size, 3)
    assert fitted.shape == (3, *size)
    assert (fitted == np.array([10, 20, 30])[:, None, None]).all()


def test_crop_is_about_the_center() -> None:
    pixels = np.zeros((8, 24), np.uint8)
    pixels[:, 8:16] = 200
    fitted = fit_image(Image.fromarray(pixels), (8, 8), 1)
    assert (fitted == 200).all()


def test_aspect_is_kept() -> None:
    """A square in a wide picture stays a square."""
    pixels = np.zeros((40, 80), np.uint8)
    pixels[10:30, 30:50] = 255
    bright = fit_image(Image.fromarray(pixels), (20, 20), 1)[0] > 127
    assert bright.any(axis=0).sum() == bright.any(axis=1).sum() == 10


def test_scaling_down_is_antialiased() -> None:
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    fitted = fit_image(Image.fromarray(board), (16, 16), 1)
    assert np.abs(fitted.astype(int) - 127).max() < 20


def test_luma() -> None:
    colors = {"red": 76, "lime": 150, "blue": 29}  # 0.299, 0.587, 0.114 of 255
    for color, expected in colors.items():
        assert fit_image(Image.new("RGB", (2, 2), color), None, 1)[0, 0, 0] in {
            expected,
            expected - 1,
        }


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparency_on_white(mode: str) -> None:
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 0))
    if mode == "PA":
        palette = Image.new("PA", (2, 1))
        palette.putpalette([0, 0, 0] * 256)
        palette.putpixel((0, 0), (0, 255))
        image = palette
    assert fit_image(image.convert(mode), None, 1).ravel().tolist() == [0, 255]


def test_transparent_color_of_a_palette(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "a.gif", transparency=0)
    with Image.open(tmp_path / "a.gif") as read:
        fitted = fit_image(read, None, 3)
    assert fitted[:, 0].T.tolist() == [[255, 255, 255], [255, 0, 0]]


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(np.array([[0, 300, 32768, 65535]], dtype=np.uint16)).save(path)
    with Image.open(path) as image:
        assert fit_image(image, None, 1).ravel().tolist() == [0, 1, 128, 255]
    with Image.open(path) as image:
        assert fit_image(image, None, 3)[:, 0, 2].tolist() == [128] * 3


@pytest.mark.parametrize("own", [(1, 65_000), (65_000, 1), (3, 90_000)])
@pytest.mark.parametrize("size", [(256, 256), (64, 128)])
def test_long_images_take_no_more_memory_than_their_middle(own, size, monkeypatch) -> None:
    pixels = np.zeros(own, np.uint8)
    middle = tuple(slice(max(0, side // 2 - 40), side // 2 + 40) for side in own)
    pixels[middle] = 200
    areas = []
    resize = Image.Image.resize
    monkeypatch.setattr(
        Image.Image,
        "resize",
        lambda self, sides, *rest: areas.append(sides[0] * sides[1]) or resize(self, sides, *rest),
    )
    assert (fit_image(Image.fromarray(pixels), size, 1) == 200).all()
    assert max(areas) <= 20 * size[0] * size[1]


def test_resize_samples() -> None:
    samples = np.full((4, 1, 8, 8), 77, np.uint8)
    assert resize_samples(samples, (8, 8), 1) is samples
    larger = resize_samples(samples, (16, 32), 3)
    assert larger.shape == (4, 3, 16, 32)
    assert (larger == 77).all()


def test_to_image() -> None:
    gray, color = np.zeros((1, 2, 3), np.uint8), np.zeros((3, 2, 3), np.uint8)
    assert (to_image(gray).mode, to_image(color).mode) == ("L", "RGB")
    assert to_image(color).size == (3, 2)


def test_grid() -> None:
    samples = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 4, 6), np.uint8)
    grid = np.asarray(make_grid(samples, columns=3, scale=2, padding=1))
    assert grid.shape == (2 * 9 - 1, 3 * 13 - 1)
    assert grid[0, 13] == 1
    assert grid[9, 0] == 3
    assert grid[9 + 7, 13 + 11] == 4
    assert grid[8, 0] == 255  # the gap
    assert (grid[9:, 26:] == 255).all()  # no sixth sample


def test_grid_with_labels(tmp_path: Path) -> None:
    samples = np.zeros((4, 3, 8, 8), np.uint8)
    plain = make_grid(samples, columns=2)
    labeled = make_grid(samples, columns=2, row_labels=["one", "another"])
    assert plain.size[0] == 2 * 66 - 2  # about 64 pixels each, and 2 between
    margin = labeled.size[0] - plain.size[0]
    assert margin > 40
    assert np.asarray(labeled)[:, :margin].min() < 128  # something is written there
    save_grid(samples, tmp_path / "grid.png", columns=2)
    with Image.open(tmp_path / "grid.png") as written:
        assert written.size == plain.size


def test_pictures_are_turned_upright() -> None:
    pixels = np.zeros((2, 4, 3), np.uint8)
    pixels[0, 0] = 255  # the upper left corner, as stored
    image = Image.fromarray(pixels)
    image.getexif()[ExifTags.Base.Orientation] = 6  # to be turned clockwise by a quarter
    upright = fit_image(image, None, 1)
    assert upright.shape == (1, 4, 2)
    assert upright[0, 0, 1] == 255
    assert upright.sum() == 255
