"""The canvas that all domains share: one array [length, channels] per sample.

    a sequence of 5 tokens, one row each      an image of 4 x 4 pixels, padded
        |  C  O  =  (                             channels
      C .  1  .  .  .   channels: one per         p p p p 0
      C .  1  .  .  .   token, the first          p p p p 0   length
      = .  .  .  1  .   is padding                p p p p 0
      O .  .  1  .  .                             p p p p 0
      | 1  .  .  .  .                             0 0 0 0 0

After Gananath's Multi_Task (2018), where the sequences set the size and images are padded with
zeros or resized to it. Here the canvas also grows to the largest padded image.

N: samples; L, V: length and channels of the canvas; C, H, W: an image.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from PIL import Image
from pydantic import Field, TypeAdapter, ValidationError

from mtgan.data.domains.tokens import TOKENIZERS
from mtgan.errors import UserError

Size = tuple[int, int]  # (L, V)
_Positive = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class SequenceDomain:
    """Strings of at most `length` tokens, as one-hot rows (times 255).

    tokens: the alphabet, whose first entry is the padding symbol; kind: how a string is cut into
    tokens (mtgan.data.domains.tokens). What follows the first padding is not read.
    """

    name: str
    kind: str
    tokens: Annotated[tuple[str, ...], Field(min_length=1)]
    length: _Positive
    type: ClassVar[str] = "sequence"

    def __post_init__(self) -> None:
        _refuse_path(self.name)
        TOKENIZERS.get(self.kind)

    @property
    def least_size(self) -> Size:
        return self.length, len(self.tokens)

    @property
    def vocabulary(self) -> int:
        """Number of tokens; rows of the canvas are distributions over them."""
        return len(self.tokens)

    def write(self, sequences: Sequence[Sequence[str]], canvas: Size) -> np.ndarray:
        """uint8 [N, 1, L, V] of token sequences, each of the alphabet and within the length."""
        index = {token: i for i, token in enumerate(self.tokens)}
        rows = np.zeros((len(sequences), canvas[0]), dtype=np.int64)
        for row, sequence in zip(rows, sequences, strict=True):
            row[: len(sequence)] = [index[token] for token in sequence]
        one_hot = np.arange(canvas[1]) == rows[..., None]
        return (one_hot[:, None] * np.uint8(255)).astype(np.uint8, copy=False)

    def read_tokens(self, canvases: np.ndarray) -> list[list[str]]:
        """The most probable token of each row of [N, 1, L, V], up to the first padding."""
        rows = canvases[:, 0, : self.length, : len(self.tokens)].argmax(axis=-1)
        ends = np.where((rows == 0).any(axis=1), (rows == 0).argmax(axis=1), self.length)
        return [
            [self.tokens[i] for i in row[:end]]
            for row, end in zip(rows.tolist(), ends, strict=True)
        ]

    def read(self, canvases: np.ndarray) -> list[str]:
        """The strings on canvases [N, 1, L, V] of any type; "" where there is padding alone."""
        join = TOKENIZERS.get(self.kind).join
        return [join(tokens) for tokens in self.read_tokens(canvases)]


@dataclass(frozen=True)
class ImageDomain:
    """Images [C, H, W] on a canvas: their color planes side by side are [H, C * W] pixels.

    placement "pad": at the top left, zeros elsewhere; exact both ways. "resize": each plane is
    resampled so that they fill the canvas together; not exact.
    """

    name: str
    shape: tuple[_Positive, _Positive, _Positive]
    placement: Literal["pad", "resize"] = "pad"
    type: ClassVar[str] = "image"
    vocabulary: ClassVar[int] = 0  # pixels, not distributions

    def __post_init__(self) -> None:
        _refuse_path(self.name)

    @property
    def least_size(self) -> Size:
        channels, height, width = self.shape
        return (height, channels * width) if self.placement == "pad" else (1, channels)

    def write(self, images: np.ndarray, canvas: Size) -> np.ndarray:
        """uint8 [N, 1, L, V] of images uint8 [N, C, H, W]."""
        channels, height, width = self.shape
        if self.placement == "resize":
            height, width = canvas[0], canvas[1] // channels
            images = _resample(images, (height, width))
        side_by_side = images.transpose(0, 2, 1, 3).reshape(len(images), 1, height, -1)
        rest = (canvas[0] - height, canvas[1] - channels * width)
        return np.pad(side_by_side, ((0, 0), (0, 0), (0, rest[0]), (0, rest[1])))

    def read(self, canvases: np.ndarray) -> np.ndarray:
        """uint8 [N, C, H, W] of canvases uint8 [N, 1, L, V]."""
        channels, height, width = self.shape
        if self.placement == "resize":
            height, width = canvases.shape[2], canvases.shape[3] // channels
        planes = canvases[:, 0, :height, : channels * width]
        images = planes.reshape(-1, height, channels, width).transpose(0, 2, 1, 3)
        return _resample(np.ascontiguousarray(images), self.shape[1:])


def _refuse_path(name: str) -> None:
    """UserError for a domain's name that is no name of a folder: runs keep samples under it."""
    if not name or name in {".", ".."} or any(mark in name for mark in "/\\\0"):
        raise UserError(f"The domain {name!r} should have a name without slashes; write NAME=DATA.")


def _resample(images: np.ndarray, size: Size) -> np.ndarray:
    """Each plane of uint8 [N, C, H, W] stretched to (height, width); aspect is not kept."""
    if images.shape[2:] == size:
        return images
    planes = images.reshape(-1, *images.shape[2:])
    scaled = [
        np.asarray(Image.fromarray(plane).resize(size[::-1], Image.Resampling.LANCZOS))
        for plane in planes
    ]
    return np.stack(scaled).reshape(*images.shape[:2], *size)


Domain = SequenceDomain | ImageDomain
_TYPES: dict[str, type[Domain]] = {kind.type: kind for kind in (SequenceDomain, ImageDomain)}


def canvas_size(domains: Sequence[Domain]) -> Size:
    """(L, V) that holds every domain; where all are resized images, that of the largest."""
    sizes = [domain.least_size for domain in domains]
    if all(isinstance(d, ImageDomain) and d.placement == "resize" for d in domains):
        sizes = [(d.shape[1], d.shape[0] * d.shape[2]) for d in domains]  # type: ignore[union-attr]
    return max(size[0] for size in sizes), max(size[1] for size in sizes)


def domain_to_dict(domain: Domain) -> dict[str, Any]:
    """Plain values for JSON."""
    return {"type": domain.type, **asdict(domain)}


def domain_from_dict(values: dict[str, Any]) -> Domain:
    """What domain_to_dict gave; UserError that names the key where it is none."""
    kind = values.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise UserError(f"domains: type should be {' or '.join(_TYPES)}, found {kind!r}.")
    try:
        return TypeAdapter(_TYPES[kind]).validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise UserError(f"domains: {key}: {first['msg']}.") from error
