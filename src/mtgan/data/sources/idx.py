"""MNIST and its kin: pictures in IDX files, with their labels beside them.

    train-images-idx3-ubyte.gz   train-labels-idx1-ubyte.gz
    t10k-images-idx3-ubyte.gz    t10k-labels-idx1-ubyte.gz

Plain or gzipped; with a dot in place of the dash before idx3, too, and with a name in front
(emnist-letters-train-...). A folder of them, or the path of one file of pictures.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtgan.data.dataset import Dataset
from mtgan.data.held_out import hold_out
from mtgan.data.idx import read_idx
from mtgan.data.registry import register_format
from mtgan.data.request import Request
from mtgan.data.taxonomy import Taxonomy
from mtgan.errors import UserError

_PICTURES = re.compile(r"(?P<set>.*?)-?(?P<part>[^-]*)-images[-.]idx3-ubyte(?:\.gz)?")
_SPLITS = {"train": "train", "t10k": "test", "test": "test"}


@dataclass(frozen=True)
class _Part:
    """A file of pictures: the set that it belongs to, and which split of it."""

    path: Path
    set: str
    split: str

    @classmethod
    def at(cls, path: Path) -> "_Part | None":
        found = _PICTURES.fullmatch(path.name)
        if found is None or not path.is_file():
            return None
        return cls(path, found["set"], _SPLITS.get(found["part"], "all"))

    @property
    def labels(self) -> Path | None:
        """The file of labels beside it, plain or gzipped; None where there is none."""
        name = self.path.name.replace("-images", "-labels").replace("idx3", "idx1")
        plain = self.path.with_name(name.removesuffix(".gz"))
        both = (self.path.with_name(name), plain, plain.with_name(f"{plain.name}.gz"))
        return next((path for path in both if path.is_file()), None)


def is_idx(path: Path) -> bool:
    """Whether a path is an IDX file of pictures, or a folder of some."""
    return bool(_parts(path))


def _parts(path: Path) -> list[_Part]:
    """The files of pictures in a folder, or of the set that one file belongs to."""
    one = _Part.at(path)
    folder = path if one is None else path.parent
    if not folder.is_dir():
        return []
    found = [part for file in sorted(folder.iterdir()) if (part := _Part.at(file))]
    return [part for part in found if one is None or part.set == one.set]


@register_format("idx", is_idx)
def load_idx(request: Request) -> Dataset:
    """Grey pictures and one level of classes, called by their numbers.

    Raises UserError for files that are broken or do not fit together, and a folder of several sets.
    """
    path = Path(request.name)
    parts = _chosen(_parts(path), path)
    read = {part.split: _read(part) for part in parts}
    numbers = np.unique(np.concatenate([labels for _, labels in read.values()]))
    classes = tuple(str(number) for number in numbers if number >= 0)
    levels = ("fine",) if classes else ()
    taxonomy = Taxonomy(levels, {"fine": classes} if classes else {}, {})
    name = path.name if path.is_dir() else parts[0].set or path.parent.name
    own = {"train", "test"} <= read.keys()
    wanted = [request.split] if own and request.split != "all" else list(read)
    images = np.concatenate([read[split][0] for split in wanted])[:, None]
    labels = np.concatenate([read[split][1] for split in wanted])
    rows = np.where(labels < 0, -1, np.searchsorted(numbers[numbers >= 0], labels))[:, None]
    notes = [
        f"{part.path.name} has no labels beside it ({part.path.parent})."
        for part in parts
        if part.labels is None
    ]
    split = request.split if own else "all"
    data = Dataset(
        *(images, rows if classes else rows[:, :0], taxonomy, name, split), notes=tuple(notes)
    )
    return data if own else hold_out(data, request.split)


def _chosen(parts: list[_Part], path: Path) -> list[_Part]:
    """One file for each split; UserError where there are more."""
    sets = sorted({part.set for part in parts})
    if len(sets) > 1:
        raise UserError(
            f"{path} holds several sets ({', '.join(sets)}); name one of the files, as in "
            f"{parts[0].path}."
        )
    by_split: dict[str, _Part] = {}
    for part in parts:
        other = by_split.setdefault(part.split, part)
        same = part.path.name.removesuffix(".gz") == other.path.name.removesuffix(".gz")
        if other is not part and not same:
            raise UserError(
                f"{other.path.name} and {part.path.name} are both the {part.split} split; take one "
                "of them away."
            )
    if "all" in by_split and len(by_split) > 1:
        raise UserError(
            f"{by_split['all'].path.name} is neither train nor test (t10k), and there are such "
            "beside it; take it away, or name it so."
        )
    return list(by_split.values())


def _read(part: _Part) -> tuple[np.ndarray, np.ndarray]:
    """Pictures uint8 [N, H, W] and labels int64 [N], -1 without a file of labels."""
    images = read_idx(part.path)
    if part.labels is None:
        labels = np.full(len(images), -1, dtype=np.int64)
    else:
        labels = read_idx(part.labels).astype(np.int64)
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise UserError(
            f"{part.path} holds {list(images.shape)} pictures and the file beside it "
            f"{list(labels.shape)} labels, which do not fit together."
        )
    return images, labels
