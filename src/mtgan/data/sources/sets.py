"""Image sets side by side, each under a label level of its own: what twins learn one each.

    sets:digits+clothes=fashion-mnist-10k      two levels, digits and clothes

An image has a label at the level of its set, the finest class that it has there, and none (-1) at
the others. Beside it there is mtgan.data.sources.joined, whose domains share their labels' levels
and lie on a canvas; here images are fitted to one size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtgan.data.dataset import Dataset
from mtgan.data.images import resize_samples
from mtgan.data.levels import taxonomy_of
from mtgan.data.load import load_dataset, looks_at_root, meant
from mtgan.data.registry import SOURCES, register_format
from mtgan.data.request import Request
from mtgan.errors import UserError

_PREFIX = "sets:"


@dataclass(frozen=True)
class NamedSet:
    """One of the sets as asked for: the level that it becomes, and the name or path of its data."""

    level: str
    data: str


def is_sets(name: str | Path) -> bool:
    """Whether a data set's name speaks of image sets side by side."""
    return str(name).startswith(_PREFIX)


def parse_sets(text: str) -> list[NamedSet]:
    """sets:[NAME=]DATA with + between them; a name is that of the data where none is given.

    UserError for fewer than two sets, one without data, and two of one name.
    """
    found = [_parse(part.strip(), text) for part in text.removeprefix(_PREFIX).split("+")]
    names = [one.level for one in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(
            f"Two sets of {text!r} are called {twice!r}, and each becomes a label level of its "
            f"own; name them otherwise: {_PREFIX}a=...+b=..."
        )
    if len(found) < 2:
        raise UserError(
            f"{text!r} names one set; name several, as in {_PREFIX}digits+fashion-mnist-10k, or "
            f"take {found[0].data!r} as it is."
        )
    return found


def _parse(part: str, text: str) -> NamedSet:
    name, _, data = part.rpartition("=")
    if not data.strip():
        raise UserError(f"A set of {text!r} names no data; write {_PREFIX}NAME=DATA+NAME=DATA.")
    data = meant(data.strip(), SOURCES.names())
    return NamedSet(name.strip() or Path(data).name, data)


def full_name(name: str) -> str:
    """The same name with the paths in it made absolute, so that it outlives the folder."""
    sets = [
        f"{one.level}={Path(one.data).resolve() if Path(one.data).exists() else one.data}"
        for one in parse_sets(name)
    ]
    return _PREFIX + "+".join(sets)


@register_format("sets", is_sets, full_name=full_name, named=True)
def load_sets(request: Request) -> Dataset:
    """The sets that request.name speaks of, in their order.

    request.size, request.channels: of all images; the largest side and the most channels of any
    set when absent. Images without a label are left out, since nothing says which set they are of.

    Raises UserError for names that do not fit, and a set that holds no images with labels, or
    holds domains.
    """
    named = parse_sets(request.name)
    parts = [_load(one, request) for one in named]
    channels, height, width = (max(part.shape[axis] for part in parts) for axis in range(3))
    size, channels = request.size or (height, width), request.channels or channels
    levels = {one.level: _classes(part) for one, part in zip(named, parts, strict=True)}
    made = [
        np.zeros(len(part), bool) if part.generated is None else part.generated for part in parts
    ]
    return Dataset(
        np.concatenate([resize_samples(part.samples, size, channels) for part in parts]),
        _labels(parts),
        taxonomy_of(levels),
        name="+".join(one.level for one in named),
        split=request.split,
        # Under the name of the set that they speak of.
        notes=tuple(
            f"{one.level}: {note}"
            for one, part in zip(named, parts, strict=True)
            for note in part.notes
        ),
        generated=np.concatenate(made) if any(part.any() for part in made) else None,
    )


def _load(one: NamedSet, request: Request) -> Dataset:
    """The images of a set that have a label."""
    # The root is said of all sets together, and may be meant for another one.
    root = request.root if looks_at_root(one.data) else None
    data = load_dataset(
        *(one.data, request.split),
        root=root,
        size=request.size,
        channels=request.channels,
        download=request.download,
    )
    if data.domains:
        raise UserError(
            f"The set {one.level!r} ({one.data}) holds domains, which lie on a canvas; join image "
            "sets here, and domains by + alone."
        )
    labeled = data.labels[:, 0] >= 0 if data.taxonomy.levels else np.zeros(len(data), bool)
    if not labeled.any():
        raise UserError(
            f"The set {one.level!r} ({one.data}) has no labels, and each set is told from the "
            "others by its own; give its images classes (folders, or a table of labels)."
        )
    notes = list(data.notes)
    if data.numbers:
        notes.append(f"its numbers are not read beside other sets ({', '.join(data.numbers)}).")
    if not labeled.all():
        notes.append(
            f"{(~labeled).sum():,} of {len(data):,} images have no label, and are left out."
        )
        data = data.select(np.flatnonzero(labeled))
    data.notes = tuple(notes)
    return data


def _classes(part: Dataset) -> list[str]:
    return list(part.taxonomy.classes[part.taxonomy.levels[0]])


def _labels(parts: Sequence[Dataset]) -> np.ndarray:
    """int64 [N, S]: of each image its class at the level of its set, -1 elsewhere."""
    rows = np.full((sum(map(len, parts)), len(parts)), -1, dtype=np.int64)
    first = 0
    for column, part in enumerate(parts):
        rows[first : first + len(part), column] = part.labels[:, 0]
        first += len(part)
    return rows
