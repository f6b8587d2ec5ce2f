"""Images as a domain.

N: samples; C, H, W: an image; L, V: length and channels of the canvas.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from PIL import Image
from pydantic import Field

from mtgan.data.domains.base import DOMAINS, Domain, DomainData, Preview, Size
from mtgan.data.export import IMAGE_ENDINGS, export_samples
from mtgan.data.images import make_grid
from mtgan.data.load import load_dataset, looks_at_root
from mtgan.data.request import Request
from mtgan.data.taxonomy import Taxonomy
from mtgan.errors import UserError

_Positive = Annotated[int, Field(ge=1)]
_COLUMNS = 10  # of a preview


@DOMAINS.register("image")
@dataclass(frozen=True)
class ImageDomain(Domain):
    """Images uint8 [N, C, H, W] on a canvas: their color planes side by side are [H, C * W] pixels.

    placement "pad": at the top left, zeros elsewhere; exact both ways. "resize": each plane is
    resampled so that they fill the canvas together; not exact.
    """

    shape: tuple[_Positive, _Positive, _Positive]
    placement: Literal["pad", "resize"] = "pad"
    type = "image"
    metrics = "images"
    endings = IMAGE_ENDINGS
    options = ("size", "channels", "taxonomy", "placement")

    @classmethod
    def load(cls, name: str, data: str, options: Mapping[str, Any], request: Request) -> DomainData:
        """Any data set of images; its finest level are the classes."""
        loading = dict(options)
        placement = loading.pop("placement", "pad")
        if placement not in {"pad", "resize"}:
            raise UserError(f"placement should be pad or resize; found {placement!r}.")
        # The root is said of all domains together, and may be meant for another one.
        root = request.root if looks_at_root(data) else None
        read = load_dataset(data, request.split, root=root, download=request.download, **loading)
        if not len(read):
            raise UserError(f"The domain {name!r} ({data}) is empty.")
        levels = read.taxonomy.levels if (read.labels >= 0).any() else ()
        labels = read.labels[:, 0] if levels else np.zeros(len(read), dtype=np.int64)
        classes = read.taxonomy.classes[levels[0]] if levels else (name,)
        domain = cls(name, read.shape, placement)
        notes = list(read.notes)
        if read.numbers:
            notes.append(f"Numbers of {data} are not read over domains: {', '.join(read.numbers)}.")
        return DomainData(domain, np.asarray(read.samples), labels, tuple(classes), tuple(notes))

    @property
    def least_size(self) -> Size:
        return (1, self.shape[0]) if self.fills else self.own_size

    @property
    def own_size(self) -> Size:
        channels, height, width = self.shape
        return height, channels * width

    @property
    def fills(self) -> bool:
        return self.placement == "resize"

    def encode(self, samples: np.ndarray, canvas: Size) -> np.ndarray:
        channels, height, width = self.shape
        if self.fills:
            height, width = canvas[0], canvas[1] // channels
            samples = _resample(samples, (height, width))
        side_by_side = samples.transpose(0, 2, 1, 3).reshape(len(samples), 1, height, -1)
        rest = (canvas[0] - height, canvas[1] - channels * width)
        return np.pad(side_by_side, ((0, 0), (0, 0), (0, rest[0]), (0, rest[1])))

    def decode(self, canvases: np.ndarray) -> np.ndarray:
        channels, height, width = self.shape
        if self.fills:
            height, width = canvases.shape[2], canvases.shape[3] // channels
        planes = canvases[:, 0, :height, : channels * width]
        images = planes.reshape(-1, height, channels, width).transpose(0, 2, 1, 3)
        return _resample(np.ascontiguousarray(images), self.shape[1:])

    def read(self, path: Path) -> tuple[Any, Sequence[str]]:
        """Whatever load_dataset reads."""
        read = load_dataset(str(path), "all")
        return read, read.notes

    def preview(self, samples: np.ndarray) -> Preview:
        return Preview(picture=make_grid(samples, columns=_COLUMNS))

    def export(self, samples: np.ndarray, out: Path) -> None:
        export_samples(samples, None, Taxonomy((), {}, {}), out)


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
