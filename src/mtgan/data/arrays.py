"""Data sets that are arrays already: .npz files, and prepared folders larger than memory."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mtgan.data.canvas import domain_from_dict, domain_to_dict
from mtgan.data.dataset import Dataset, taxonomy_of
from mtgan.data.sources import Request, hold_out
from mtgan.data.taxonomy import Taxonomy, chain_name
from mtgan.errors import UserError
from mtgan.files import new_folder, write_text

_MARK = "mtgan-data.json"
_BLOCK = 1024


def is_npz(path: Path) -> bool:
    """Whether a path is a file of arrays, by its name."""
    return path.is_file() and path.suffix == ".npz"


def load_npz(request: Request) -> Dataset:
    """An .npz with `images` (uint8 [N, H, W, C], [N, C, H, W] or [N, H, W]) and `labels` ([N] or
    [N, L] integers, optional), `level_names` and `class_names_LEVEL` where they have names."""
    path = Path(request.name)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except Exception as error:  # also zipfile's and zlib's own
        raise UserError(f"{path} is truncated, corrupt or no .npz file ({error}).") from error
    if "images" not in arrays:
        found = ", ".join(arrays) or "nothing"
        raise UserError(f"{path} has no array 'images'; it holds {found}.")
    images = as_samples(arrays["images"], str(path))
    if not images.size:
        raise UserError(f"{path} holds no images: its array is {list(arrays['images'].shape)}.")
    labels, taxonomy = _labels(arrays, len(images), path)
    return hold_out(Dataset(images, labels, taxonomy, path.stem, "all"), request.split)


def as_samples(images: np.ndarray, where: str) -> np.ndarray:
    """uint8 [N, C, H, W], C = 1 or 3, of images with their channels last, first or absent.

    Of four axes, the last is taken for channels where it is 1, 3 or 4, else the second. A fourth
    channel is opacity, and is laid over white.
    """
    if images.dtype != np.uint8:
        raise UserError(
            f"{where}: images should be uint8, 0 to 255; found {images.dtype}. Convert them first."
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


def _labels(arrays: dict[str, np.ndarray], count: int, path: Path) -> tuple[np.ndarray, Taxonomy]:
    if "labels" not in arrays:
        return np.empty((count, 0), dtype=np.int64), Taxonomy((), {}, {})
    labels = arrays["labels"]
    if labels.ndim == 1:
        labels = labels[:, None]
    if labels.ndim != 2 or len(labels) != count or not np.issubdtype(labels.dtype, np.integer):
        raise UserError(
            f"{path}: labels should be integers [{count}] or [{count}, L]; found {labels.dtype} "
            f"{list(arrays['labels'].shape)}."
        )
    labels = labels.astype(np.int64)
    names = arrays.get("level_names")
    levels = (
        [chain_name(i) for i in range(labels.shape[1])]
        if names is None
        else [str(n) for n in names]
    )
    if len(levels) != labels.shape[1]:
        raise UserError(f"{path}: {len(levels)} level_names for {labels.shape[1]} label columns.")
    classes = {}
    for column, level in enumerate(levels):
        key = f"class_names_{level}"
        classes[level] = (
            [str(name) for name in arrays[key]]
            if key in arrays
            else [str(i) for i in range(int(labels[:, column].max(initial=-1)) + 1)]
        )
    return labels, with_found_parents(taxonomy_of(classes), labels)


def with_found_parents(taxonomy: Taxonomy, labels: np.ndarray) -> Taxonomy:
    """Parents for every level that the next one coarsens: each of its classes occurs with one
    class there, and some class there has several. Levels without that relation stay independent.
    """
    parents: dict[str, tuple[str, tuple[int, ...]]] = {}
    for column, (level, above) in enumerate(
        zip(taxonomy.levels, taxonomy.levels[1:], strict=False)
    ):
        both = labels[(labels[:, column] >= 0) & (labels[:, column + 1] >= 0)]
        pairs = np.unique(both[:, column : column + 2], axis=0)
        every = len(pairs) == taxonomy.num_classes(level) == len(np.unique(pairs[:, 0]))
        if not every or taxonomy.num_classes(above) >= taxonomy.num_classes(level):
            break
        parents[level] = (above, tuple(pairs[:, 1].tolist()))
    return replace(taxonomy, parents=parents)


# Prepared folders: samples.npy (training samples first, then test ones) and labels.npy, of which
# the first is mapped into memory when loaded.


def is_prepared(path: Path) -> bool:
    """Whether a path is a folder that write_prepared wrote."""
    return (path / _MARK).is_file()


def load_prepared(request: Request) -> Dataset:
    """A folder that write_prepared wrote. The samples stay on the disk."""
    path = Path(request.name)
    try:
        about: dict[str, Any] = json.loads((path / _MARK).read_text())
        part = about["splits"][request.split]
        samples = np.load(path / "samples.npy", mmap_mode="r")
        labels = np.load(path / "labels.npy")
        rows = slice(part["first"], part["last"])
        return Dataset(
            samples[rows],
            labels[rows],
            Taxonomy.from_dict(about["taxonomy"]),
            about["name"],
            request.split,
            notes=tuple(about.get("notes", ())),
            domains=tuple(domain_from_dict(domain) for domain in about.get("domains", ())),
            stored_fingerprint=part["fingerprint"],
        )
    except (OSError, EOFError, LookupError, ValueError, TypeError) as error:
        raise UserError(f"{path} is incomplete or corrupt ({error!r}); prepare it anew.") from error


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
        mapped = np.load(folder / "samples.npy", mmap_mode="r")
        splits = {}
        for split, first, last in (
            ("train", 0, len(train)),
            ("test", len(train), total),
            ("all", 0, total),
        ):
            part = Dataset(
                mapped[first:last], labels[first:last], train.taxonomy, domains=train.domains
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
