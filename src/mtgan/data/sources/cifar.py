"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009) from their official Python files.

Those files are pickles of Python 2. They are read by an unpickler that knows the four names that a
numpy array needs and refuses every other, so that nothing which a hostile file names is ever run.
Archives are read in memory, up to a limit, and nothing of them is written anywhere.
"""

import functools
import io
import pickle
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from mtgan.data.archives import member, read_archive
from mtgan.data.dataset import Dataset
from mtgan.data.download import fetch
from mtgan.data.registry import register_dataset, register_format
from mtgan.data.request import Request
from mtgan.data.taxonomy import Taxonomy
from mtgan.errors import UserError
from mtgan.files import reason, require_file

_ADDRESS = "https://www.cs.toronto.edu/~kriz/"
_ARCHIVES = {
    "cifar10": ("cifar-10-python.tar.gz", "md5:c58f30108f718f92721af3b95e74349a"),
    "cifar100": ("cifar-100-python.tar.gz", "md5:eb9058c3a382ffc7106e4002c42a8d85"),
}

# By which files an extracted folder is known: `meta` alone may be anything.
_KNOWN_BY = {"cifar10": ("batches.meta", "test_batch"), "cifar100": ("meta", "test", "train")}
# The official archives hold less than half of it.
_LARGEST_BYTES = 400 << 20
_MOST_READS = 10_000_000

# The split into animals and vehicles is ours; the data set names ten classes alone.
_CIFAR10 = {
    "airplane": "vehicle",
    "automobile": "vehicle",
    "bird": "animal",
    "cat": "animal",
    "deer": "animal",
    "dog": "animal",
    "frog": "animal",
    "horse": "animal",
    "ship": "vehicle",
    "truck": "vehicle",
}
CIFAR10_TAXONOMY = Taxonomy(("fine",), {"fine": tuple(_CIFAR10)}, {}).with_hierarchy(
    {"coarse": _CIFAR10}
)


class _Array:
    """Stands for numpy.ndarray, which a file may name, but not call: that reserves memory."""


def _reconstruct(subtype: type, shape: tuple[int, ...], kind: bytes) -> np.ndarray:
    """What numpy's own pickles begin with: an empty array, filled by its state afterwards."""
    if subtype is not _Array or shape != (0,):
        raise pickle.UnpicklingError("an array of another type")
    return np.empty(0, np.int8)


def _encode(text: str, encoding: str) -> bytes:
    if encoding not in {"latin1", "latin-1"}:
        raise pickle.UnpicklingError("a text of another encoding")
    return text.encode(encoding)


# Every name that may occur, and what it stands for here.
_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _encode,
}


class _Counted(io.BytesIO):
    """Bytes that may be read in so many pieces: each may make an object of an unpickler."""

    left = _MOST_READS

    def read(self, size: int | None = -1) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise pickle.UnpicklingError("it holds more values than any file of CIFAR")
        return super().read(size)


# The one written in Python: the other reserves whatever memory a file's numbers ask for.
class _ArrayUnpickler(pickle._Unpickler):
    dispatch: ClassVar[dict[int, Any]] = {
        code: read
        for code, read in pickle._Unpickler.dispatch.items()
        if code != pickle.BYTEARRAY8[0]  # likewise
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise UserError(
                f"refused: the file names {module}.{name}, which no CIFAR file does; it may be "
                "hostile. Fetch it anew from the official address."
            )
        return _ALLOWED[module, name]


def read_pickle(content: bytes, where: str) -> dict[str, Any]:
    """A pickled dictionary of plain values and numpy arrays; UserError for anything else."""
    try:
        values = _ArrayUnpickler(_Counted(content), encoding="latin1").load()
        if not isinstance(values, dict):
            raise TypeError("it holds no dictionary")
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise UserError(f"{where} is truncated or corrupt ({error}); fetch it anew.") from error
    return values


@register_dataset("cifar10", "60,000 photographs, 32 x 32 RGB, 10/2 classes (50,000/10,000).")
def load_cifar10(request: Request) -> Dataset:
    read = _reader("cifar10", "cifar-10-batches-py", request)
    train = [f"data_batch_{i}" for i in range(1, 6)]
    batches = {"train": train, "test": ["test_batch"], "all": [*train, "test_batch"]}
    parts = [read(name) for name in batches[request.split]]
    fine = np.concatenate([_column(part, "labels", "cifar10") for part in parts])
    rows = CIFAR10_TAXONOMY.label_rows(fine)
    return Dataset(_images(parts, "cifar10"), rows, CIFAR10_TAXONOMY, "cifar10", request.split)


@register_dataset("cifar100", "60,000 photographs, 32 x 32 RGB, 100/20 classes (50,000/10,000).")
def load_cifar100(request: Request) -> Dataset:
    read = _reader("cifar100", "cifar-100-python", request)
    meta = read("meta")
    # Both files are read whatever the split, so that every split has the same taxonomy.
    files = {name: read(name) for name in ("train", "test")}
    columns = {}
    for name, part in files.items():
        fine, coarse = (
            _column(part, f"{level}_labels", "cifar100") for level in ("fine", "coarse")
        )
        if len(fine) != len(coarse):
            raise UserError(
                f"cifar100: {len(fine)} fine labels and {len(coarse)} coarse ones in {name!r}; "
                "fetch the files anew."
            )
        columns[name] = np.stack([fine, coarse], axis=1)
    taxonomy = _learned_taxonomy(meta, np.concatenate(list(columns.values())))
    names = ["train", "test"] if request.split == "all" else [request.split]
    rows = np.concatenate([columns[name] for name in names])
    images = _images([files[name] for name in names], "cifar100")
    return Dataset(images, rows, taxonomy, "cifar100", request.split)


def _learned_taxonomy(meta: Mapping[str, Any], rows: np.ndarray) -> Taxonomy:
    """Parents as the files' own two labels of each image say, and no table of ours."""
    fine, coarse = rows.T
    names = [meta.get(f"{level}_label_names") for level in ("fine", "coarse")]
    if not all(isinstance(n, list) and all(isinstance(x, str) for x in n) for n in names):
        raise UserError("cifar100: the file meta has no names of the classes; fetch it anew.")
    fine_names, coarse_names = (tuple(n or ()) for n in names)
    for labels, known in ((fine, fine_names), (coarse, coarse_names)):
        if len(labels) and not (labels.min() >= 0 and labels.max() < len(known)):
            raise UserError("cifar100: there are labels outside the names in meta; fetch it anew.")
    parents = np.full(len(fine_names), -1)
    parents[fine] = coarse
    if (parents[fine] != coarse).any() or (parents < 0).any():
        raise UserError(
            "cifar100: the labels give some fine class no superclass, or two; fetch the files anew."
        )
    return Taxonomy(
        ("fine", "coarse"),
        {"fine": fine_names, "coarse": coarse_names},
        {"fine": ("coarse", tuple(parents.tolist()))},
    )


def is_cifar(path: Path) -> bool:
    """Whether a path is one of the official archives (or a part of one) or its extracted folder."""
    return _set_at(path) is not None


@register_format("cifar", is_cifar)
def load_cifar(request: Request) -> Dataset:
    """CIFAR-10 or CIFAR-100 from the path request.name."""
    path = Path(request.name)
    load = {"cifar10": load_cifar10, "cifar100": load_cifar100}[_set_at(path) or ""]
    return load(replace(request, root=path))


def _set_at(path: Path) -> str | None:
    for name, (archive, _) in _ARCHIVES.items():
        stem = archive.removesuffix(".tar.gz")
        packed = path.is_file() and path.name.startswith(stem) and path.name.endswith(".tar.gz")
        if packed or _is_extracted(path, name):
            return name
    return None


def _is_extracted(place: Path, name: str) -> bool:
    return all((place / file).is_file() for file in _KNOWN_BY[name])


def _reader(name: str, folder: str, request: Request) -> Callable[[str], dict[str, Any]]:
    """A function from a file's name to its dictionary, from the extracted folder or the archive.

    request.root: the archive, the extracted folder, or the folder that either lies in.
    """
    archive, checksum = _ARCHIVES[name]
    root = request.root
    if root and root.is_file():
        return functools.partial(
            _read_member, root, read_archive(root, [folder], _LARGEST_BYTES), folder
        )
    places = [root] if root else []
    for place in [*places, *(root / folder for root in places)]:
        if _is_extracted(place, name):
            return functools.partial(_read_loose, place)
    official = {archive: (_ADDRESS + archive, checksum)}
    found = fetch(name, official, places, request.download) / archive
    return functools.partial(
        _read_member, found, read_archive(found, [folder], _LARGEST_BYTES), folder
    )


def _read_loose(place: Path, file: str) -> dict[str, Any]:
    path = place / file
    require_file(path, "The CIFAR file")
    try:
        with path.open("rb") as opened:
            content = opened.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {reason(error)}.") from error
    if len(content) > _LARGEST_BYTES:
        raise UserError(f"{path} is larger than any file of CIFAR; fetch it anew.")
    return read_pickle(content, str(path))


def _read_member(
    archive: Path, members: Mapping[str, bytes], folder: str, file: str
) -> dict[str, Any]:
    content = member(archive, members, f"{folder}/{file}")
    return read_pickle(content, f"{archive} ({folder}/{file})")


def _column(part: Mapping[str, Any], key: str, name: str) -> np.ndarray:
    if key not in part:
        raise UserError(f"{name}: a file has no {key!r}; it is of another data set.")
    try:
        column = np.asarray(part[key])
    except ValueError:  # lists of unequal lengths
        column = np.empty(0, dtype=object)
    if column.ndim != 1 or not np.issubdtype(column.dtype, np.integer):
        raise UserError(f"{name}: the {key!r} of a file are no list of whole numbers.")
    return column.astype(np.int64)


def _images(parts: list[dict[str, Any]], name: str) -> np.ndarray:
    """uint8 [N, 3, 32, 32] of the files' rows of 3072 bytes, channel by channel."""
    rows = [np.asarray(part.get("data")) for part in parts]
    if any(r.dtype != np.uint8 or r.ndim != 2 or r.shape[1] != 3072 for r in rows):
        raise UserError(f"{name}: a file holds no rows of 3072 bytes; it is of another data set.")
    return np.concatenate(rows).reshape(-1, 3, 32, 32)
