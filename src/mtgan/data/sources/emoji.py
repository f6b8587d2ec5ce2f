"""Emoji of two vendors, 64 x 64: few pictures a class, many classes, a long tail.

The pictures are those of the npm packages emoji-datasource-google (Noto Emoji, Apache License 2.0)
and emoji-datasource-twitter (Twemoji, CC-BY 4.0), which the user's own `npm pack` fetches; nothing
of them is part of this one. Categories and subcategories are Unicode's, as the packages have them.
"""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mtgan.data.archives import member, read_archive
from mtgan.data.dataset import Dataset
from mtgan.data.held_out import held_out_rows
from mtgan.data.images import fit_image
from mtgan.data.registry import register_dataset
from mtgan.data.request import Request
from mtgan.data.taxonomy import Taxonomy
from mtgan.errors import UserError
from mtgan.files import cache_folder
from mtgan.files.npm import packed

VERSION = "16.0.0"
_CHECKSUMS = {
    "google": "sha256:fb5fd131b362aab7a55542d2a147a79708cce0a8b1c1bbacd470172708b5c438",
    "twitter": "sha256:f64a530c63bca463bd8317fdc4615ce63a53a0c65018e4ce2d848aaba7a28877",
}
SIZE = (64, 64)
_LARGEST_BYTES = 200 << 20  # the packages hold 76 and 64 MB

_COMPONENTS = "Component"  # a category of parts of emoji, which are none by themselves
_TONES = {
    "1F3FB": "light",
    "1F3FC": "medium-light",
    "1F3FD": "medium",
    "1F3FE": "medium-dark",
    "1F3FF": "dark",
}
SKINS = ("none", *_TONES.values(), "mixed")
_SPLIT_NOTE = (
    "The set has no splits of its own: a fifth of the emoji, always the same ones, is held out as "
    "test (stratified by subcategory), each in all its skin tones and of both vendors."
)


@dataclass(frozen=True)
class _Picture:
    """One file: the number of its emoji, its name, and whose skin tone it shows."""

    emoji: int
    file: str
    skin: str


@register_dataset(
    "emoji", "7,562 emoji of two vendors, 64 x 64 RGB, 98/9 classes, skin tone (by npm pack)."
)
def load_emoji(request: Request) -> Dataset:
    """The pictures of both packages, laid over white.

    Levels: fine (Unicode's subcategory) within coarse (category), and the attributes vendor
    (google, twitter) and skin (none, five tones, mixed where a picture shows two).
    """
    samples, labels, emoji = [], [], []
    for number, vendor in enumerate(_CHECKSUMS):
        archive = _package(vendor, request)
        folder = f"package/img/{vendor}/64"
        members = read_archive(archive, {"package", folder}, _LARGEST_BYTES)
        listed = _listed(archive, members)
        taxonomy = taxonomy_of(listed)
        for picture in _pictures(listed):
            content = member(archive, members, f"{folder}/{picture.file}")
            samples.append(_pixels(archive, picture.file, content))
            fine = taxonomy.class_index("fine", listed[picture.emoji]["subcategory"])
            labels.append((fine, number, SKINS.index(picture.skin)))
            emoji.append(picture.emoji)
    rows = taxonomy.label_rows(np.array([fine for fine, *_ in labels]))
    rows[:, 2:] = [attributes for _, *attributes in labels]
    data = Dataset(np.stack(samples), rows, taxonomy, "emoji", request.split)
    return _split(data, np.array(emoji), request.split)


def taxonomy_of(listed: list[dict[str, Any]]) -> Taxonomy:
    """Subcategories within categories, in the order of their first emoji, and the attributes."""
    coarse = {each["subcategory"]: each["category"] for each in listed}
    finest = Taxonomy(("fine",), {"fine": tuple(coarse)}, {}).with_hierarchy({"coarse": coarse})
    return finest.with_independent({"vendor": tuple(_CHECKSUMS), "skin": SKINS})


def _split(data: Dataset, emoji: np.ndarray, split: str) -> Dataset:
    """All pictures of an emoji lie on one side, so that no test sample is a training sample in
    another color."""
    if split == "all":
        return data
    _, first = np.unique(emoji, return_index=True)
    chosen = held_out_rows(data.labels[first], split)
    part = data.select(np.flatnonzero(np.isin(emoji, emoji[first][chosen])))
    part.notes = (*part.notes, _SPLIT_NOTE)
    return part


# What a package holds


def _listed(archive: Path, members: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """The package's own list of emoji, in Unicode's order, without components."""
    try:
        entries = json.loads(member(archive, members, "package/emoji.json"))
        wanted = [each for each in entries if each["category"] != _COMPONENTS]
        return sorted(wanted, key=lambda each: each["sort_order"])
    except (ValueError, LookupError, TypeError) as error:
        raise UserError(f"{archive}: its emoji.json is no list of emoji ({error!r}).") from error


def _pictures(listed: list[dict[str, Any]]) -> Iterator[_Picture]:
    for number, each in enumerate(listed):
        yield _Picture(number, each["image"], SKINS[0])
        for tones, variation in each.get("skin_variations", {}).items():
            shown = {_TONES[tone] for tone in tones.split("-")}
            yield _Picture(number, variation["image"], shown.pop() if len(shown) == 1 else "mixed")


def _pixels(archive: Path, file: str, content: bytes) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            return fit_image(image, SIZE, 3)
    except (OSError, ValueError, SyntaxError) as error:
        raise UserError(f"{archive}: {file} is no PNG picture ({error}); fetch it anew.") from error


# Where the packages are


def _package(vendor: str, request: Request) -> Path:
    """The packed package, in the user's folder or the cache: labels and pictures are those of this
    version."""
    return packed(
        f"emoji-datasource-{vendor}",
        VERSION,
        _CHECKSUMS[vendor],
        cache_folder() / "datasets" / "emoji",
        [request.root] if request.root else [],
        download=request.download,
        elsewhere=", or name its folder with --root",
    )
