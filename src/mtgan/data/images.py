"""Pictures in, pictures out: fitting images to a size, and grids of samples."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from mtgan.files import replacing
from mtgan.lettering import Lettering
from mtgan.limits import LARGEST_COUNT, check_memory, check_number

_LETTERS = 12  # size of labels, in pixels


def fit_image(image: Image.Image, size: tuple[int, int] | None, channels: int) -> np.ndarray:
    """uint8 [C, H, W]: the image upright, scaled to cover (H, W), and cropped about its center.

    Antialiased Lanczos; aspect is kept. channels 1 is luma, 3 is RGB; transparency is laid over
    white. size None keeps the image's own.
    """
    ImageOps.exif_transpose(image, in_place=True)  # cameras store pictures lying on their side
    if image.mode.startswith("I;16"):  # Pillow would clip at 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    image = image.convert("L" if channels == 1 else "RGB")
    if size is not None and (image.height, image.width) != size:
        height, width = size
        scale = max(height / image.height, width / image.width)
        scaled = (max(width, round(image.width * scale)), max(height, round(image.height * scale)))
        image = image.resize(scaled, Image.Resampling.LANCZOS)
        left, top = (image.width - width) // 2, (image.height - height) // 2
        image = image.crop((left, top, left + width, top + height))
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def resize_samples(samples: np.ndarray, size: tuple[int, int], channels: int) -> np.ndarray:
    """fit_image over uint8 [N, C, H, W]; UserError where the memory is too small."""
    if samples.shape[2:] == size and samples.shape[1] == channels:
        return samples
    shape = (channels, *size)
    check_memory(f"{len(samples):,} images of {' x '.join(map(str, shape))}", len(samples), shape)
    fitted = np.empty((len(samples), *shape), dtype=np.uint8)
    for target, sample in zip(fitted, samples, strict=True):
        target[:] = fit_image(to_image(sample), size, channels)
    return fitted


def to_image(sample: np.ndarray) -> Image.Image:
    """A PIL image of uint8 [C, H, W], C = 1 or 3."""
    return Image.fromarray(sample[0] if len(sample) == 1 else sample.transpose(1, 2, 0))


def make_grid(
    images: np.ndarray,
    columns: int = 8,
    scale: int | None = None,
    padding: int = 2,
    row_labels: Sequence[str] | None = None,
) -> Image.Image:
    """Samples uint8 [N, C, H, W] as one picture, row by row on white.

    scale enlarges each pixel to a square of that side; by default so that a sample measures about
    64 pixels. row_labels stand at the left, one per row, in fonts that
    have their letters (mtgan.lettering).
    """
    count, channels, height, width = images.shape
    check_number("The number of columns", columns, 1, LARGEST_COUNT)
    scale = scale or max(1, round(64 / max(height, width)))
    rows = -(-count // columns)
    lettering = Lettering(row_labels or ())
    margin = max((8 + lettering.width(label, _LETTERS) for label in row_labels or ()), default=0)
    cell_h, cell_w = height * scale + padding, width * scale + padding
    mode = "L" if channels == 1 else "RGB"
    grid = Image.new(
        mode, (margin + columns * cell_w - padding, rows * cell_h - padding), color="white"
    )
    for i, sample in enumerate(images):
        row, column = divmod(i, columns)
        tile = to_image(sample).resize((width * scale, height * scale), Image.Resampling.NEAREST)
        grid.paste(tile, (margin + column * cell_w, row * cell_h))
    if row_labels:
        draw = ImageDraw.Draw(grid)
        for row, label in enumerate(row_labels[:rows]):
            baseline = row * cell_h + cell_h // 2 + _LETTERS // 3
            lettering.draw(draw, 2, baseline, label, _LETTERS)
    return grid


def save_grid(
    images: np.ndarray,
    path: str | Path,
    columns: int = 8,
    scale: int | None = None,
    row_labels: Sequence[str] | None = None,
) -> None:
    """make_grid, written to a file; UserError where it cannot be."""
    with replacing(path) as temporary:
        make_grid(images, columns, scale, row_labels=row_labels).save(temporary)
