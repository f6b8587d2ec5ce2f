"""Data sets that are arrays already: .npz files."""

import zipfile
from collections import Counter
from pathlib import Path

import numpy as np

from mtgan.data.dataset import Dataset
from mtgan.data.held_out import hold_out
from mtgan.data.images import as_samples
from mtgan.data.levels import one_hot, one_hot_note, taxonomy_of, with_found_parents
from mtgan.data.names import chain_name, clean_name, name_fault
from mtgan.data.registry import register_format
from mtgan.data.request import Request
from mtgan.data.taxonomy import Taxonomy
from mtgan.errors import UserError
from mtgan.limits import memory_bytes
from mtgan.registry import nearest

_NAMES = "class_names_"
# Labels that are only numbers, without names, may go so far: each number makes a class.
_MOST_CLASSES = 100_000
_MOST_OF_NAMES = 1 << 28  # bytes
_MOST_NUMBERS = 1_000  # of a sample
# An array that is larger than this, and so many times larger than its file, is no set of pictures.
_LARGE, _DENSEST = 1 << 30, 500


def is_npz(path: Path) -> bool:
    """Whether a path is a file of arrays, by its name."""
    return path.is_file() and path.suffix.lower() == ".npz"


@register_format("npz", is_npz)
def load_npz(request: Request) -> Dataset:
    """An .npz with `images` (uint8 [N, H, W, C], [N, C, H, W] or [N, H, W]) and `labels` ([N] or
    [N, L] integers, -1 where missing, or one-hot rows; optional), `level_names` and
    `class_names_LEVEL` where they have names, `numbers` (floats [N] or [N, K], nan where missing;
    optional) and `number_names`, and `generated` (bool [N]; optional). Other arrays are not
    read."""
    path = Path(request.name)
    arrays = _Arrays(path)
    if "images" not in arrays.names:
        found = ", ".join(arrays.names) or "nothing"
        raise UserError(f"{path} has no array 'images'; it holds {found}.")
    stored = arrays.read("images")
    if stored.ndim == 3 and "labels" in arrays.names and arrays.length("labels") == len(stored):
        stored = stored[..., None]  # a label for each: gray images, and not one with channels
    images = as_samples(stored, str(path))
    if not images.size:
        raise UserError(f"{path} holds no images: its array is {list(stored.shape)}.")
    labels, taxonomy, notes = _labels(arrays, len(images))
    generated = _truths(arrays, "generated", len(images))
    numbers = _floats(arrays, len(images))
    if others := [name for name in arrays.names if name not in arrays.asked]:
        notes.append(f"Other arrays of {path.name} are not read: {', '.join(others)}.")
    told = tuple(notes)
    data = Dataset(
        *(images, labels, taxonomy, path.stem, "all"),
        notes=told,
        generated=generated,
        numbers=numbers,
    )
    return hold_out(data, request.split)


class _Arrays:
    """The arrays of an .npz file, of which those alone are read that are asked for.

    names: of all its members; asked: of those that were read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[str] = []
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
        except Exception as error:
            raise self._broken(error) from error
        self._members = {member.filename.removesuffix(".npy"): member for member in members}
        self.names = list(self._members)

    def read(self, name: str, most: int | None = None) -> np.ndarray:
        """One array of `most` bytes; UserError where it is broken, no array, of Python objects, or
        larger than can be meant."""
        self.asked.append(name)
        member = self._members[name]
        if most is not None and member.file_size > most:
            raise UserError(
                f"{self.path}: {name!r} takes {member.file_size:,} bytes, more than the {most:,} "
                "that would make sense."
            )
        if member.file_size > _LARGE and member.file_size > _DENSEST * member.compress_size:
            raise UserError(
                f"{self.path}: {name!r} unpacks from {member.compress_size:,} bytes to "
                f"{member.file_size:,}, which no set of pictures does."
            )
        memory = memory_bytes()
        if memory is not None and member.file_size > memory:
            raise UserError(
                f"{self.path}: {name!r} takes {member.file_size:,} bytes, and this machine has "
                f"{memory:,}; split the file, or make it a folder of images and prepare that "
                "(mtgan data prepare)."
            )
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(member) as file:
                array = np.lib.format.read_array(file, allow_pickle=False)
        except Exception as error:  # also zipfile's and zlib's own
            if "pickle" in str(error):
                raise UserError(
                    f"{self.path}: {name!r} holds Python objects, which are never loaded; store "
                    "plain numbers or text."
                ) from error
            raise self._broken(error, f": its array {name!r} cannot be read") from error
        return np.asarray(array)

    def length(self, name: str) -> int:
        """The number of rows of an array of labels or names, whatever it holds."""
        array = self.read(name, _MOST_OF_NAMES)
        return len(array) if array.ndim else 0

    def texts(self, name: str) -> list[str]:
        """A list of names, given as text, UTF-8 bytes or whole numbers."""
        array = self.read(name, _MOST_OF_NAMES)
        if array.ndim != 1 or array.dtype.kind not in "USiu":
            raise UserError(
                f"{self.path}: {name!r} should be a list of names; found {array.dtype} "
                f"{list(array.shape)}."
            )
        try:
            return [
                clean_name(item.decode() if isinstance(item, bytes) else str(item))
                for item in array.tolist()
            ]
        except UnicodeDecodeError as error:
            raise UserError(f"{self.path}: {name!r} holds bytes that are not in UTF-8.") from error

    def _broken(self, error: Exception, what: str = "") -> UserError:
        why = str(error) or repr(error)
        return UserError(f"{self.path} is truncated, corrupt or no .npz file{what} ({why}).")


def _labels(arrays: _Arrays, count: int) -> tuple[np.ndarray, Taxonomy, list[str]]:
    """Label rows [N, L], what they mean, and notes on how they were read."""
    if "labels" not in arrays.names:
        return np.empty((count, 0), dtype=np.int64), Taxonomy((), {}, {}), []
    path, labels, notes = arrays.path, _columns(arrays, count), []
    levels = arrays.texts("level_names") if "level_names" in arrays.names else []
    named = [name.removeprefix(_NAMES) for name in arrays.names if name.startswith(_NAMES)]
    classes, least = one_hot(labels), 0
    if classes is not None and _is_one_level(path, levels, named, labels.shape[1]):
        labels, least = classes[:, None], labels.shape[1]
        notes.append(one_hot_note((levels or [chain_name(0)])[0], least))
    levels = levels or [chain_name(i) for i in range(labels.shape[1])]
    _check_levels(path, levels, labels.shape[1])
    if strangers := [name for name in named if name not in levels]:
        raise UserError(
            f"{path} has {_NAMES}{strangers[0]}, and no label level {strangers[0]!r}: "
            f"{nearest(strangers[0], levels)}"
        )
    names = {
        level: arrays.texts(_NAMES + level)
        if level in named
        else _numbers(column, least, level, path)
        for level, column in zip(levels, labels.T, strict=True)
    }
    try:
        taxonomy = taxonomy_of(names)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    return labels, with_found_parents(taxonomy, labels), notes


def _columns(arrays: _Arrays, count: int) -> np.ndarray:
    """The labels as int64 [N, L]."""
    labels = arrays.read("labels", 8 * _MOST_CLASSES * (count + 1))
    shape = list(labels.shape)
    if labels.ndim == 1:
        labels = labels[:, None]
    if labels.ndim != 2 or len(labels) != count or not np.issubdtype(labels.dtype, np.integer):
        raise UserError(
            f"{arrays.path}: labels should be integers [{count}] or [{count}, L]; found "
            f"{labels.dtype} {shape}. (One-hot rows become integers by labels.argmax(axis=1).)"
        )
    if int(labels.max(initial=0)) > np.iinfo(np.int64).max:
        raise UserError(
            f"{arrays.path}: the label {labels.max()} is too large; number classes from 0."
        )
    return labels.astype(np.int64)


def _truths(arrays: _Arrays, name: str, count: int) -> np.ndarray | None:
    """An array of truth values [N], or None where there is none of this name."""
    if name not in arrays.names:
        return None
    values = arrays.read(name, 8 * (count + 1024))
    if values.shape != (count,) or not np.isin(values, (0, 1)).all():
        raise UserError(
            f"{arrays.path}: {name!r} should be truth values [{count}]; found {values.dtype} "
            f"{list(values.shape)}."
        )
    return values.astype(bool)


def _floats(arrays: _Arrays, count: int) -> dict[str, np.ndarray]:
    """The columns of `numbers`, float32 [N] by name; "number", or "number1" and so on, where they
    have none."""
    if "numbers" not in arrays.names:
        return {}
    values = arrays.read("numbers", 8 * _MOST_NUMBERS * (count + 1024))
    columns = values[:, None] if values.ndim == 1 else values
    kind = columns.dtype.kind
    if columns.ndim != 2 or len(columns) != count or kind not in "fiu" or not columns.shape[1]:
        raise UserError(
            f"{arrays.path}: numbers should be floats [{count}] or [{count}, K]; found "
            f"{values.dtype} {list(values.shape)}."
        )
    width = columns.shape[1]
    usual = ["number"] if width == 1 else [f"number{i + 1}" for i in range(width)]
    names = arrays.texts("number_names") if "number_names" in arrays.names else usual
    if len(names) != width or len(set(names)) < width:
        raise UserError(
            f"{arrays.path}: number_names should be {width} different names, one for each column "
            f"of numbers; found {', '.join(names)}."
        )
    with np.errstate(over="ignore"):  # infinity, which is refused
        return dict(zip(names, columns.T.astype(np.float32), strict=True))


def _is_one_level(path: Path, levels: list[str], named: list[str], columns: int) -> bool:
    """Whether one-hot columns are one level, by the names that there are; UserError where these
    do not tell."""
    if levels and len(levels) != 1 and not named:
        raise UserError(
            f"{path}: the {columns} columns of labels are one-hot, and level_names calls each a "
            f"level; give labels.argmax(axis=1), and the names as {_NAMES}{chain_name(0)}."
        )
    return len(levels) == 1 or (not levels and set(named) <= {chain_name(0)})


def _check_levels(path: Path, levels: list[str], count: int) -> None:
    if len(levels) != count:
        raise UserError(f"{path}: {len(levels)} level_names for {count} label columns.")
    for level, times in Counter(levels).items():
        fault = name_fault(level, level=True) or ("another one is called so" if times > 1 else "")
        if fault:
            raise UserError(f"{path}: a label level cannot be called {level!r}: {fault}.")


def _numbers(labels: np.ndarray, least: int, level: str, path: Path) -> list[str]:
    """The names of classes that are only numbered: 0 to the largest label, or `least` of them."""
    largest = int(labels.max(initial=-1))
    if largest >= _MOST_CLASSES:
        raise UserError(
            f"{path}: the label {largest} of level {level!r} would be the last of {largest + 1:,} "
            "classes; number the classes from 0, and mark missing labels by -1."
        )
    return [str(i) for i in range(max(largest + 1, least))]
