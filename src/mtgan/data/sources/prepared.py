"""Prepared folders: data sets larger than memory.

samples.npy holds the training samples first, then the test ones, and is mapped into memory when it
is loaded; labels.npy their labels; generated.npy which were generated, where some were;
numbers.npy their numbers, where they have some.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from mtgan.data.dataset import Dataset
from mtgan.data.domains.base import canvas_size, domain_from_dict, domain_to_dict
from mtgan.data.registry import register_format
from mtgan.data.request import Request
from mtgan.data.taxonomy import Taxonomy
from mtgan.errors import UserError
from mtgan.files import new_folder, read_json, require_file, write_text
from mtgan.plugins import opening

_MARK = "mtgan-data.json"
_GENERATED = "generated.npy"
_NUMBERS = "numbers.npy"
_BLOCK = 1024


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
        names = about.get("numbers", [])
        columns = np.array(_mapped(path / _NUMBERS)[rows]).T if names else ()
        numbers = dict(zip(names, columns, strict=True))
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
            numbers=numbers,
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

    The parts may be lazy ones (see Format): no more than a block of them is in memory. UserError
    where `out` exists or cannot be written; nothing half-written is left.
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
        names = list(train.numbers)
        columns = [np.concatenate([part.numbers[name] for part in parts]) for name in names]
        numbers = np.stack(columns, axis=1).astype("<f4") if names else None
        if numbers is not None:
            _write_blocks(folder / _NUMBERS, "<f4", numbers.shape, [numbers])
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
                numbers={name: v[first:last] for name, v in zip(names, columns, strict=True)},
            )
            splits[split] = {"first": first, "last": last, "fingerprint": part.fingerprint}
        about = {
            "name": train.name,
            "taxonomy": train.taxonomy.to_dict(),
            "splits": splits,
            "domains": [domain_to_dict(domain) for domain in train.domains],
            "notes": list(dict.fromkeys((*train.notes, *test.notes))),
        }
        if names:
            about["numbers"] = names
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
