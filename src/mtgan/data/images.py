"""Pictures in, pictures out: fitting images to a size, and grids of samples."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from mtgan.errors import UserError
from mtgan.files import replacing
from mtgan.lettering import Lettering
from mtgan.limits import LARGEST_COUNT, check_memory, check_number

# How a picture is brought upright, by its EXIF orientation.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# An image that is longer, by so many times, than the size it covers loses its ends beforehand.
_LONGEST = 8
_BITS, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0  # of TIFF
_LETTERS = 12  # size of labels, in pixels
MARK_GENERATED, MARK_OVERVIEW = "mtgan sample", "mtgan data info"
"""The marks of pictures that these commands write: they are known again wherever they are put."""


def as_samples(images: np.ndarray, where: str) -> np.ndarray:
    """uint8 [N, C, H, W], C = 1 or 3, of images with their channels last, first or absent.

    Of four axes, the last is taken for channels where it is 1, 3 or 4, else the second. A fourth
    channel is opacity, and is laid over white. UserError for other types and shapes, and for three
    axes that may as well be one image with channels.
    """
    if images.dtype != np.uint8:
        raise UserError(
            f"{where}: images should be uint8, 0 to 255; found {images.dtype}. Convert them first."
        )
    if images.ndim == 3 and (images.shape[2] in {1, 3, 4} or images.shape[0] in {3, 4}):
        raise UserError(
            f"{where}: {list(images.shape)} may be one image with channels or several gray ones; "
            "add an axis: images[None] for one image, images[..., None] for several."
        )
    if images.ndim == 3:
        return images[:, None]
    if images.ndim == 4 and images.shape[3] in {1, 3, 4}:
        return _opaque(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    if images.ndim == 4 and images.shape[1] in {1, 3, 4}:
        return _opaque(images)
    raise UserError(
        f"{where}: images should be [N, H, W, C], [N, C, H, W] or [N, H, W] with 1, 3 or 4 "
        f"channels; found {list(images.shape)}."
    )


def _opaque(images: np.ndarray) -> np.ndarray:
    """Images [N, C, H, W] without their opacity, if they have one."""
    if images.shape[1] != 4:
        return images
    color, opacity = images[:, :3].astype(np.uint32), images[:, 3:].astype(np.uint32)
    return ((color * opacity + 255 * (255 - opacity) + 127) // 255).astype(np.uint8)


def fit_image(
    image: Image.Image,
    size: tuple[int, int] | None,
    channels: int,
    span: tuple[float, float] | None = None,
) -> np.ndarray:
    """uint8 [C, H, W]: the image upright, scaled to cover (H, W), and cropped about its center.

    Antialiased Lanczos; aspect is kept. channels 1 is luma, 3 is RGB; transparency is laid over
    white. size None keeps the image's own.

    Pixels of 9 to 16 bits keep their upper eight bits. span: the values that become black and
    white where the format does not say them (see white_of); ValueError where it is needed.
    """
    image.load()
    turn = orientation(image)  # cameras store pictures lying on their side
    image = _in_eight_bits(image, span)
    if turn in _TURNS:
        image = image.transpose(_TURNS[turn])
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    image = image.convert("L" if channels == 1 else "RGB")
    if size is not None and (image.height, image.width) != size:
        height, width = size
        image = _without_far_ends(image, height, width)
        scale = max(height / image.height, width / image.width)
        scaled = (max(width, round(image.width * scale)), max(height, round(image.height * scale)))
        image = image.resize(scaled, Image.Resampling.LANCZOS)
        left, top = (image.width - width) // 2, (image.height - height) // 2
        image = image.crop((left, top, left + width, top + height))
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _without_far_ends(image: Image.Image, height: int, width: int) -> Image.Image:
    """The middle of an image that is far longer than what is cropped from it: of 1 x 65,000
    pixels, scaled as a whole to cover 256 x 256, the memory would be full."""
    longest = _LONGEST * np.array([height / width * image.width, width / height * image.height])
    tall, wide = (max(1, int(np.ceil(side))) for side in longest)
    top, left = max(0, (image.height - tall) // 2), max(0, (image.width - wide) // 2)
    if not (top or left):
        return image
    return image.crop((left, top, image.width - left, image.height - top))


def orientation(image: Image.Image, ahead: bool = False) -> int:
    """The EXIF orientation of an image, 1 to 8; 1 where it is not said, or not in order.

    ahead: of what stands before the pixels alone. A TIFF is upright once it is loaded.
    """
    try:
        exif = Image.Image.getexif(image) if ahead else image.getexif()
        value = exif.get(ExifTags.Base.Orientation, 1)
    except Exception:  # metadata may hold anything, and the pixels are good
        return 1
    return value if isinstance(value, int) and value in _TURNS else 1


def white_of(image: Image.Image) -> int | None:
    """The value of white of an image that was opened from a file; None where nothing says it, as
    of floats and of integers of 32 bits."""
    if image.mode.startswith("I;16"):
        bits = image.tag_v2.get(_BITS) if image.format == "TIFF" else None  # type: ignore[attr-defined]
        return 2 ** bits[0] - 1 if bits and 8 <= bits[0] <= 16 else 65535
    if image.mode == "I":  # Pillow scales a PGM's values to 16 bits
        return 65535 if image.format in {"PNG", "PPM"} else None
    return None if image.mode == "F" else 255


def _in_eight_bits(image: Image.Image, span: tuple[float, float] | None) -> Image.Image:
    """The image, of a mode with eight bits: Pillow would clip at 255."""
    white = white_of(image)
    if white == 255:
        return image
    values = np.asarray(image)
    if white is not None:  # the upper bits, which are those of a picture stored in eight
        scaled = np.clip(values, 0, white) >> (white.bit_length() - 8)
    elif span is not None:
        low, high = span
        scaled = values.astype(np.float64)
        scaled -= low
        scaled *= 255 / ((high - low) or 1.0)
        scaled = np.rint(scaled.clip(0, 255))
    else:
        raise ValueError("no file says which value of its pixels is white")
    scaled = scaled.astype(np.uint8)
    # Pillow inverts such pictures where they have eight bits, but not these.
    tags = image.tag_v2 if image.format == "TIFF" else {}  # type: ignore[attr-defined]
    return Image.fromarray(255 - scaled if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else scaled)


def is_marked(image: Image.Image, mark: str) -> bool:
    """Whether an opened picture says, before its pixels, that a program of ours wrote it."""
    return image.info.get("Software") == mark


def marked(mark: str) -> PngInfo:
    """What a PNG is saved with (pnginfo=...), so that it says which program wrote it."""
    info = PngInfo()
    info.add_text("Software", mark)
    return info


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
    cells = np.full((rows * columns, channels, cell_h, cell_w), 255, dtype=np.uint8)
    tiles = images.repeat(scale, axis=2).repeat(scale, axis=3)
    cells[:count, :, : height * scale, : width * scale] = tiles
    cells = cells.reshape(rows, columns, channels, cell_h, cell_w).transpose(2, 0, 3, 1, 4)
    pixels = cells.reshape(channels, rows * cell_h, columns * cell_w)
    seen = np.pad(
        pixels[:, : rows * cell_h - padding, : columns * cell_w - padding],
        ((0, 0), (0, 0), (margin, 0)),
        constant_values=255,
    )
    grid = to_image(seen)
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
