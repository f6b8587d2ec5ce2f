"""What a domain is: a kind of samples that a generator makes on a canvas which all kinds share.

    a sequence of 5 tokens, one row each      an image of 4 x 4 pixels, padded
        |  C  O  =  (                             channels
      C .  1  .  .  .   channels: one per         p p p p 0
      C .  1  .  .  .   token, the first          p p p p 0   length
      = .  .  .  1  .   is padding                p p p p 0
      O .  .  1  .  .                             p p p p 0
      | 1  .  .  .  .                             0 0 0 0 0

After Gananath's Multi_Task (2018), where the sequences set the size and images are padded with
zeros or resized to it. Here the canvas also grows to the largest padded image.

A kind is one file of this folder, or of a module of your own: a subclass of Domain under
`@DOMAINS.register("its type")`. What judges its samples is registered in mtgan.evaluation.domains.

N: samples; L, V: length and channels of the canvas.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image
from pydantic import TypeAdapter, ValidationError

from mtgan.data.request import Request
from mtgan.errors import UserError
from mtgan.files import replacing, write_text
from mtgan.registry import Registry

Size = tuple[int, int]  # (L, V)


@dataclass(frozen=True)
class Preview:
    """A few samples for people: lines of text, or a picture."""

    lines: tuple[str, ...] = ()
    picture: Image.Image | None = None

    def save(self, stem: Path) -> None:
        """Write STEM.png where there is a picture, else STEM.txt, a sample per line; UserError
        where it cannot be written."""
        if self.picture is None:
            write_lines(self.lines, stem.with_name(f"{stem.name}.txt"))
            return
        with replacing(stem.with_name(f"{stem.name}.png")) as temporary:
            self.picture.save(temporary)


def write_lines(lines: Sequence[str], out: Path) -> None:
    """One sample per line, UTF-8; UserError where `out` cannot be written."""
    write_text(out, "".join(f"{line}\n" for line in lines))


@dataclass(frozen=True)
class Domain(ABC):
    """One domain of a data set: what its samples are, and how they lie on the canvas.

    A frozen dataclass, whose fields a run keeps as JSON. Samples are whatever suits the kind: an
    array of images, a list of strings.

    Attributes:
        name: What this domain of the set is called; samples are kept in a folder of that name.
        type: What the kind is registered as.
        metrics: The name in mtgan.evaluation.domains.DOMAIN_METRICS of what judges its samples.
        endings: Of the files that `export` writes, the usual one first; "" is a folder.
        options: Keys that the kind takes beside its data, as in NAME=DATA,KEY=VALUE.
        symbols: Those of the keys whose value is text as it stands, and no YAML.
        vocabulary: Number of tokens where rows of the canvas are distributions over them; 0 where
            values are pixels.
        least_size: (L, V) that a canvas has at least.
        fills: Whether samples are stretched to fill a canvas, whatever its size.
    """

    name: str
    type: ClassVar[str]
    metrics: ClassVar[str]
    endings: ClassVar[tuple[str, ...]]
    options: ClassVar[tuple[str, ...]] = ()
    symbols: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        if not self.name or self.name in {".", ".."} or any(m in self.name for m in "/\\\0"):
            raise UserError(
                f"The domain {self.name!r} should have a name without slashes; write NAME=DATA."
            )

    # Reading

    @classmethod
    def recognizes(cls, data: str, options: Mapping[str, Any]) -> bool:
        """Whether data of this name or path, given with such options, are of this kind; those that
        no kind recognizes are images."""
        return False

    @classmethod
    def usual_name(cls, data: str, options: Mapping[str, Any]) -> str:
        """What a domain is called that was given no name; UserError for data that are too doubtful
        to be taken for this kind."""
        return cls.type

    @classmethod
    @abstractmethod
    def load(
        cls, name: str, data: str, options: Mapping[str, Any], request: Request
    ) -> "DomainData":
        """Read a split of the data; UserError for options that do not fit, and where there is no
        sample."""

    # The canvas

    @property
    def vocabulary(self) -> int:
        return 0

    @property
    @abstractmethod
    def least_size(self) -> Size: ...

    @property
    def fills(self) -> bool:
        return False

    @property
    def own_size(self) -> Size:
        """(L, V) of a canvas that suits the samples best."""
        return self.least_size

    @abstractmethod
    def encode(self, samples: Any, canvas: Size) -> np.ndarray:
        """Canvases uint8 [N, 1, L, V] of N samples."""

    @abstractmethod
    def decode(self, canvases: np.ndarray) -> Any:
        """The N samples on canvases uint8 [N, 1, L, V]."""

    # Files

    def read(self, path: Path) -> tuple[Any, Sequence[str]]:
        """Samples that lie in a file, to be judged, and sentences about how they were read.

        UserError where samples of this kind are not read from files.
        """
        raise UserError(
            f"Samples of the type {self.type} are not read from files ({path}); judge the run that "
            "makes them, or hand them over in Python."
        )

    # For people

    @abstractmethod
    def preview(self, samples: Any) -> Preview:
        """A few samples as they are shown during a training and on a run's page."""

    @abstractmethod
    def export(self, samples: Any, out: Path) -> None:
        """Write samples to `out`, which ends in one of `endings`, whole or not at all."""


@dataclass(frozen=True)
class DomainData:
    """One domain of a split, read.

    samples: N, as `encode` takes them; labels: int64 [N], -1 where missing; classes: their names;
    notes: sentences about how it was read.
    """

    domain: Domain
    samples: Any
    labels: np.ndarray
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()


DOMAINS: Registry[type[Domain]] = Registry(
    "type of domain", "mtgan.data.domains", has=("load", "encode", "decode", "preview", "export")
)


def canvas_size(domains: Sequence[Domain]) -> Size:
    """(L, V) that holds every domain; where all would fill any canvas, that of the largest."""
    alone = all(domain.fills for domain in domains)
    sizes = [domain.own_size if alone else domain.least_size for domain in domains]
    return max(size[0] for size in sizes), max(size[1] for size in sizes)


def in_words(domains: Sequence[Domain], shape: tuple[int, int, int]) -> tuple[str, str]:
    """What samples of a shape (C, H, W) are called, and how large they are: images, and their
    pixels, where there are no domains; else samples on canvases."""
    channels, height, width = shape
    if not domains:
        return "images", f"{height} x {width}, {channels} channel{'s' if channels > 1 else ''}"
    names = " and ".join(f"{domain.name} ({domain.type})" for domain in domains)
    return "samples", f"{names}, on canvases of {height} x {width}"


def domain_to_dict(domain: Domain) -> dict[str, Any]:
    """Plain values for JSON."""
    return {"type": domain.type, **asdict(domain)}


def domain_from_dict(values: dict[str, Any]) -> Domain:
    """What domain_to_dict gave; UserError that names the key where it is none."""
    kind = values.get("type")
    if not isinstance(kind, str) or kind not in DOMAINS:
        raise UserError(
            f"domains: type should be {' or '.join(sorted(DOMAINS.names()))}, found {kind!r}."
        )
    try:
        return TypeAdapter(DOMAINS.get(kind)).validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise UserError(f"domains: {key}: {first['msg']}.") from error
