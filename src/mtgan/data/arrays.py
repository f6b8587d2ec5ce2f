"""Data sets that are arrays already: .npz files, and prepared folders larger than memory."""

import json
import zipfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mtgan.data.canvas import canvas_size, domain_from_dict, domain_to_dict
from mtgan.data.dataset import Dataset, taxonomy_of
from mtgan.data.sources import Request, hold_out, register_format
from mtgan.data.taxonomy import Taxonomy, chain_name, clean_name, name_fault
from mtgan.errors import UserError
from mtgan.files import new_folder, read_json, require_file, write_text
from mtgan.limits import memory_bytes
from mtgan.plugins import opening
from mtgan.registry import nearest

_MARK = "mtgan-data.json"
_BLOCK = 1024
_NAMES = "class_names_"
# Labels that are only numbers, without names, may go so far: each number makes a class.
_MOST_CLASSES = 100_000
_MOST_OF_NAMES = 1 << 28  # bytes
# An array that is larger than this, and so many times larger than its file, is no set of pictures.
_LARGE, _DENSEST = 1 << 30, 500


def is_npz(path: Path) -> bool:
    """Whether a path is a file of arrays, by its name."""
    return path.is_file() and path.suffix.lower() == ".npz"


@register_format("npz", is_npz)
def load_npz(request: Request) -> Dataset:
    """An .npz with `images` (uint8 [N, H, W, C], [N, C, H, W] or [N, H, W]) and `labels` ([N] or
    [N, L] integers, -1 where missing, or one-hot rows; optional), `level_names` and
    `class_names_LEVEL` where they have names, and `generated` (bool [N]; optional). Other arrays
    are not read."""
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
    if others := [name for name in arrays.names if name not in arrays.asked]:
        notes.append(f"Other arrays of {path.name} are not read: {', '.join(others)}.")
    told = tuple(notes)
    data = Dataset(images, labels, taxonomy, path.stem, "all", notes=told, generated=generated)
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


def one_hot(labels: np.ndarray) -> np.ndarray | None:
    """int64 [N]: the column of the one in each row of [N, K], where all else is zero; None where
    the rows are not so, or all show the same column."""
    if labels.shape[1] < 2 or not len(labels):
        return None
    binary = ((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all()
    classes = labels.argmax(axis=1).astype(np.int64)
    return classes if binary and len(np.unique(classes)) > 1 else None


def one_hot_note(level: str, count: int) -> str:
    """What is said where one-hot columns were read as one level."""
    return f"The labels are one-hot: their {count} columns are read as one level {level!r}."


def with_found_parents(taxonomy: Taxonomy, labels: np.ndarray) -> Taxonomy:
    """Parents for every level that the next one coarsens: each of its classes occurs with one
    class there, and some class there has several. Levels without that relation stay independent.
    """
    parents: dict[str, tuple[str, tuple[int, ...]]] = {}
    for column, (level, above) in enumerate(
        zip(taxonomy.levels, taxonomy.levels[1:], strict=False)
    ):
        sizes = taxonomy.num_classes(level), taxonomy.num_classes(above)
        found = found_parents(labels[:, column], labels[:, column + 1], *sizes)
        if found is None:
            break
        parents[level] = (above, found)
    return replace(taxonomy, parents=parents)


def found_parents(
    labels: np.ndarray, above: np.ndarray, count: int, count_above: int
) -> tuple[int, ...] | None:
    """The class above each of `count` classes, by the labels [N] of both levels; None where the
    other level, of `count_above` classes, does not coarsen this one."""
    known = (labels >= 0) & (above >= 0)
    pairs = np.unique(np.stack([labels[known], above[known]], axis=1), axis=0)
    every = len(pairs) == count == len(np.unique(pairs[:, 0]))
    return tuple(pairs[:, 1].tolist()) if every and count_above < count else None


# Prepared folders: samples.npy (training samples first, then test ones) and labels.npy, of which
# the first is mapped into memory when loaded; and generated.npy where some were generated.

_GENERATED = "generated.npy"


def is_prepared(path: Path) -> bool:
    """Whether a path is a folder that write_prepared wrote."""
    return (path / _MARK).is_file()


@register_format("prepared", is_prepared)
def load_prepared(request: Request) -> Dataset:
    """A folder that write_prepared wrote. The samples stay on the disk."""
    path = Path(request.name)
    try:
        about = read_json(path / _MARK)
        part = about["splits"][request.split]
        rows = slice(_whole(part["first"]), _whole(part["last"]))
        samples, labels = _mapped(path / "samples.npy"), _mapped(path / "labels.npy")
        made = _mapped(path / _GENERATED) if (path / _GENERATED).exists() else None
        if not rows.start <= rows.stop <= len(samples) or len(samples) != len(labels):
            raise ValueError(f"{len(samples)} samples, {len(labels)} labels, {part}")
        name, notes, fingerprint = about["name"], about.get("notes", []), part["fingerprint"]
        if not all(isinstance(text, str) for text in (name, fingerprint, *notes)):
            raise TypeError("its name, notes and fingerprints should be text")
        with opening(path):
            domains = tuple(domain_from_dict(domain) for domain in about.get("domains", ()))
        sizes = zip(canvas_size(domains) if domains else (), samples.shape[2:], strict=False)
        if any(least > size for least, size in sizes):
            raise ValueError(f"canvases of {samples.shape[2:]} for {domains}")
        return Dataset(
            samples[rows],
            np.array(labels[rows]),
            Taxonomy.from_dict(about["taxonomy"]),
            name,
            request.split,
            notes=tuple(notes),
            domains=domains,
            stored_fingerprint=fingerprint,
            generated=None if made is None else np.array(made[rows]).astype(bool),
        )
    except (
        *(OSError, EOFError, LookupError, ValueError, TypeError, AttributeError),
        *(MemoryError, OverflowError),
    ) as error:
        what = error if isinstance(error, UserError) else repr(error)
        raise UserError(f"{path} is incomplete or corrupt ({what}); prepare it anew.") from error


def _mapped(path: Path) -> np.ndarray:
    require_file(path)
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} should be a whole number from 0")
    return value


def write_prepared(train: Dataset, test: Dataset, out: Path) -> Path:
    """Write a data set as a prepared folder, block by block, and return it.

    The parts may be lazy ones (mtgan.data.folder.open_folder): no more than a block of them is in
    memory. UserError where `out` exists or cannot be written; nothing half-written is left.
    """
    if out.exists():
        raise UserError(f"{out} exists already; name another folder, or remove it first.")
    with new_folder(out) as folder:
        total = len(train) + len(test)
        blocks = (
            np.ascontiguousarray(data.samples[start : start + _BLOCK])
            for data in (train, test)
            for start in range(0, len(data), _BLOCK)
        )
        _write_blocks(folder / "samples.npy", "|u1", (total, *train.shape), blocks)
        labels = np.ascontiguousarray(np.concatenate([train.labels, test.labels]), dtype="<i8")
        _write_blocks(folder / "labels.npy", "<i8", labels.shape, [labels])
        parts = (train, test)
        made = [np.zeros(len(p), bool) if p.generated is None else p.generated for p in parts]
        generated = np.concatenate(made) if any(part.any() for part in made) else None
        if generated is not None:
            _write_blocks(folder / _GENERATED, "|u1", generated.shape, [generated.astype(np.uint8)])
        mapped = np.load(folder / "samples.npy", mmap_mode="r")
        splits = {}
        for split, first, last in (
            ("train", 0, len(train)),
            ("test", len(train), total),
            ("all", 0, total),
        ):
            part = Dataset(
                mapped[first:last],
                labels[first:last],
                train.taxonomy,
                domains=train.domains,
                generated=None if generated is None else generated[first:last],
            )
            splits[split] = {"first": first, "last": last, "fingerprint": part.fingerprint}
        about = {
            "name": train.name,
            "taxonomy": train.taxonomy.to_dict(),
            "splits": splits,
            "domains": [domain_to_dict(domain) for domain in train.domains],
            "notes": list(dict.fromkeys((*train.notes, *test.notes))),
        }
        write_text(folder / _MARK, json.dumps(about))
    return out


def _write_blocks(
    path: Path, kind: str, shape: tuple[int, ...], blocks: Iterable[np.ndarray]
) -> None:
    """An .npy file, block by block; not through a memory map, which on a full disk kills the
    process (SIGBUS), nor by numpy's own writing, which does not say why it failed."""
    with path.open("wb") as file:
        header = {"descr": kind, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(block.data)
