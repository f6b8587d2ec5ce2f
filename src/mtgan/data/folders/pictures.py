"""Picture files: which are opened, what their headers say, and their pixels.

Whatever a decoder raises is a reason to pass that file over, and no end of a folder. Only formats
that are listed here are opened (Pillow knows others, of which some call programs), and no file
takes more memory than its limits allow.
"""

import contextlib
import functools
import math
import struct
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
from PIL import Image

from mtgan.data.images import (
    MARK_GENERATED,
    MARK_OVERVIEW,
    fit_image,
    is_marked,
    orientation,
    white_of,
)
from mtgan.files import error_number, reason
from mtgan.progress import progress

ENDINGS = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".mpo", ".png", ".apng", ".bmp", ".gif", ".webp"),
    *(".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".avif", ".avifs"),
    *(".jp2", ".j2k", ".jpx", ".jpf", ".jpc", ".j2c", ".tga", ".dib"),
}
# Of any other file, the first bytes tell whether it is of one of these.
_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM", "AVIF", "JPEG2000")
# These have no first bytes of their own, and would be seen in anything.
_BY_ENDING = {".tga": ("TGA",), ".dib": ("DIB",)}
_LARGEST_PIXELS = 100_000_000
_LARGEST_BYTES = 512 << 20
# Larger ones are decoded one at a time, so that eight threads do not need eight times the memory.
_LARGE_PIXELS = 16_000_000
_THREADS = 8
# Files per task of a thread: for small files, handing over one by one costs more than decoding.
_TASK = 64
_GRAY = {"1", "L", "LA", "La", "I", "F"}
OVERVIEW = "drawn by mtgan data info"
"""Why a picture of a data set is no picture in one."""
_turns = threading.Lock()
T = TypeVar("T")


class PictureError(ValueError):
    """A picture that is not read though it may be whole; the text is the reason."""


@dataclass(frozen=True)
class Refusal:
    """Why a file was passed over."""

    reason: str


@dataclass(frozen=True)
class Header:
    """What is known of a picture before it is fitted.

    height, width: of the upright picture; color: whether it has any; span: its least and largest
    value, where its format does not say which value is white (integers of 32 bits, floats);
    generated: whether it bears the mark of `mtgan sample`.
    """

    height: int
    width: int
    color: bool
    span: tuple[float, float] | None = None
    generated: bool = False


@functools.cache
def _formats(ending: str) -> tuple[str, ...]:
    Image.init()  # a build of Pillow may lack some
    wanted = (*_FORMATS, *_BY_ENDING.get(ending, ()))
    return tuple(name for name in wanted if name in Image.OPEN)


@contextlib.contextmanager
def open_picture(path: Path) -> Iterator[Image.Image]:
    """The picture of a file, its pixels not yet read; PictureError where it is too large."""
    if path.stat().st_size > _LARGEST_BYTES:
        raise PictureError(f"over {_LARGEST_BYTES >> 20} MiB")
    try:
        image = Image.open(path, formats=_formats(path.suffix.lower()))
    except Image.DecompressionBombError as error:
        raise PictureError(_too_many_pixels()) from error
    with image:
        pixels = image.width * image.height
        if pixels > _LARGEST_PIXELS:
            raise PictureError(_too_many_pixels())
        with _turns if pixels > _LARGE_PIXELS else contextlib.nullcontext():
            yield image


def _too_many_pixels() -> str:
    return f"over {_LARGEST_PIXELS // 1_000_000} million pixels"


def is_picture(path: Path) -> bool:
    """Whether the first bytes of a file are those of a listed format."""
    try:
        with open_picture(path):
            return True
    except PictureError:
        return True  # to be refused by that reason
    except Exception:
        return False


def is_overview(path: Path) -> bool:
    """Whether a file is a picture that `mtgan data info` drew of a data set."""
    try:
        with open_picture(path) as image:
            return is_marked(image, MARK_OVERVIEW)
    except Exception:
        return False


def read_header(path: Path) -> Header:
    """The header of a picture; any exception where there is none."""
    with open_picture(path) as image:
        if is_marked(image, MARK_OVERVIEW):
            raise PictureError(OVERVIEW)
        height, width = _upright_sides(image)
        color = image.mode not in _GRAY and not image.mode.startswith("I;16")
        span = _span(image) if white_of(image) is None else None
        return Header(height, width, color, span, is_marked(image, MARK_GENERATED))


def decode(
    path: Path, size: tuple[int, int], channels: int, span: tuple[float, float] | None = None
) -> np.ndarray:
    """uint8 [C, H, W] of a picture file; any exception where it has none. See fit_image."""
    with open_picture(path) as image:
        return fit_image(image, size, channels, span)


def _span(image: Image.Image) -> tuple[float, float]:
    values = np.asarray(image)
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise PictureError("pixels that are no numbers")
    return low, high


def _upright_sides(image: Image.Image) -> tuple[int, int]:
    """(height, width) after the turn that fit_image makes."""
    height, width = image.height, image.width
    if image.format == "TIFF":  # whose sides Pillow may have swapped already
        height, width = image.tag_v2[257], image.tag_v2[256]  # type: ignore[attr-defined]
    # Pillow decodes a whole PNG to see what follows its pixels.
    ahead = image.format == "PNG" and not _turn_follows(image.fp)  # type: ignore[attr-defined]
    turn = orientation(image, ahead)
    return (width, height) if turn >= 5 else (height, width)


def _turn_follows(file: BinaryIO) -> bool:
    """Whether a PNG has, after its pixels, a chunk that may say how it is to be turned."""
    place = file.tell()
    try:
        file.seek(8)
        pixels = False
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            pixels |= kind == b"IDAT"
            if pixels and kind == b"eXIf":
                return True
            if pixels and kind in {b"tEXt", b"zTXt", b"iTXt"}:
                key = file.read(min(length, 24))
                if key.startswith((b"Raw profile type exif", b"XML:com.adobe.xmp")):
                    return True
                length -= len(key)
            file.seek(length + 4, 1)
        return False
    finally:
        file.seek(place)


def attempt(function: Callable[[Path], T], path: Path) -> T | Refusal:
    """The value of a function of a file, or why there is none."""
    try:
        return function(path)
    except PictureError as error:
        return Refusal(str(error))
    except MemoryError:
        return Refusal("too large for the memory")
    except OSError as error:  # of the system, or of a decoder
        return Refusal("unreadable" if error_number(error) is None else reason(error))
    except Exception:  # decoders raise nearly anything
        return Refusal("unreadable")


def attempt_all(
    function: Callable[[Path], T], files: Sequence[Path], doing: str
) -> list[T | Refusal]:
    """`attempt` over files, in threads: decoders release the interpreter's lock."""
    tasks = [files[start : start + _TASK] for start in range(0, len(files), _TASK)]
    results: list[Any] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Pillow says of odd files
        with ThreadPoolExecutor(_THREADS) as pool, progress(doing, len(files)) as advance:
            for part in pool.map(lambda task: [attempt(function, file) for file in task], tasks):
                results += part
                advance(len(part))
    return results
