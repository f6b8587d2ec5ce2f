"""load_dataset: a data set by its name or path, as the registries know it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mtgan.data.dataset import Dataset
from mtgan.data.images import resize_samples
from mtgan.data.registry import FORMATS, SOURCES, SPLITS, Format, Source
from mtgan.data.request import Request
from mtgan.data.sources.prepared import write_prepared
from mtgan.data.taxonomy import Taxonomy
from mtgan.errors import UserError
from mtgan.files import reason
from mtgan.limits import LARGEST_SIDE, check_seed
from mtgan.plugins import is_outside, remedy
from mtgan.registry import nearest


def load_dataset(
    name: str | Path,
    split: str = "train",
    *,
    root: str | Path | None = None,
    size: int | str | tuple[int, int] | None = None,
    channels: int | None = None,
    taxonomy: str | Path | Mapping[str, Any] | Taxonomy | None = None,
    subset: float | None = None,
    stratified: bool = True,
    seed: int = 0,
    labeled: float | None = None,
    classes: Mapping[str, str | Sequence[str]] | None = None,
    download: bool = True,
) -> Dataset:
    """Load a data set by its registered name, or from a folder, a table of labels, an .npz or a
    prepared folder.

    Args:
        name: A name of list_datasets(), or a path.
        split: "train", "test" or "all". Sources without splits of their own hold out a fixed,
            stratified fifth as "test".
        root: The folder in which a named set's files lie; looked at before the cache.
        size: One side, (H, W) or "HxW": images are scaled to cover it and cropped.
        channels: 1 (luma), 3 (RGB), or None for what the source has.
        taxonomy: YAML file or mapping {level: {class: parent}} that replaces the source's own
            coarser levels; or a whole Taxonomy (or its to_dict()) with the same finest classes.
        subset: Share in (0, 1] or count of the samples to keep, drawn by seed.
        stratified: Whether the subset keeps the shares of the finest classes.
        seed: Seed of the subset.
        labeled: Share in (0, 1] or count of the samples that keep their labels, drawn as a subset
            is; the others stay, without any.
        classes: By level, the classes whose samples alone are kept, {"fine": "mouse"}; a subset is
            drawn from them.
        download: Whether files that are found nowhere may be downloaded.

    Raises:
        UserError: A name that is none, files that are missing or broken, options out of range, a
            root of data that have no files there.
    """
    if split not in SPLITS:
        raise UserError(f"split should be train, test or all; found {split!r}.")
    if channels not in {None, 1, 3}:
        raise UserError(f"channels should be 1 or 3; found {channels!r}.")
    check_seed(seed)
    shape = parse_size(size)
    check_root(name, root)
    name = _meant(str(name))
    request = Request(name, split, Path(root) if root else None, shape, channels, download)
    found = _format(name) if _is_path(name) else SOURCES.get(name)
    data = found.load(request)
    if shape is not None or channels is not None:
        c, h, w = data.shape
        fitted = resize_samples(data.samples, shape or (h, w), channels or c)
        if fitted is not data.samples:
            data = replace(data, samples=fitted, stored_fingerprint=None)
    if taxonomy is not None:
        data = _under(data, taxonomy)
    whole = {
        **_spec(request, found),
        # Written out, so that the spec outlives the file.
        "taxonomy": data.taxonomy.to_dict() if taxonomy is not None else None,
        "subset": None,
        "stratified": stratified,
        "seed": seed,
    }
    data.spec, data.loader = whole, load_dataset
    if classes:
        data = data.of_classes(classes)
    if subset is not None:
        data = data.subset(subset, stratified, seed)
    if labeled is not None:
        data = data.labeled_on(labeled, stratified, seed)
    return data


def _spec(request: Request, found: Source | Format) -> dict[str, Any]:
    """With which load_dataset finds the same set again from any folder."""
    return {
        "name": found.full_name(request.name) if isinstance(found, Format) else request.name,
        "split": request.split,
        "root": str(request.root.resolve()) if request.root else None,
        "size": list(request.size) if request.size else None,
        "channels": request.channels,
    }


def prepare_dataset(
    name: str | Path,
    out: str | Path,
    *,
    root: str | Path | None = None,
    size: int | str | tuple[int, int] | None = None,
    channels: int | None = None,
    taxonomy: str | Path | Mapping[str, Any] | Taxonomy | None = None,
) -> Path:
    """Write a data set as a folder that load_dataset maps into memory, and return that folder.

    Images of a folder are decoded block by block, so that the set may be larger than memory.
    Arguments as of load_dataset. UserError where `out` exists or cannot be written.
    """
    if Path(out).exists():
        raise UserError(f"{out} exists already; name another folder, or remove it first.")
    check_root(name, root)
    name, shape = _meant(str(name)), parse_size(size)
    found = _format(name) if _is_path(name) else None
    if found and found.lazy:
        parts = []
        for split in ("train", "test"):
            data = found.lazy(Request(name, split, None, shape, channels, False))
            if taxonomy is not None:
                data = _under(data, taxonomy)
            parts.append(data)
    else:
        parts = [
            load_dataset(name, split, root=root, size=size, channels=channels, taxonomy=taxonomy)
            for split in ("train", "test")
        ]
    return write_prepared(parts[0], parts[1], Path(out))


def load_recorded(spec: Mapping[str, Any]) -> Dataset:
    """The data set of a Dataset.spec; errors as of load_dataset.

    Earlier versions recorded a root also where none was looked at.
    """
    root = spec.get("root") if looks_at_root(spec["name"]) else None
    return load_dataset(**{**spec, "root": root})


def check_root(name: str | Path, root: str | Path | None) -> None:
    """UserError where a root says where files lie, and none of a named set are looked for: the data
    are a path, or a set that is here without files."""
    if root is not None and not looks_at_root(name):
        where = "it is read from its path" if _is_path(_meant(str(name))) else "it needs no files"
        raise UserError(
            f"root is the folder in which a named data set's files lie, and {name} has none "
            f"there: {where}; leave it out."
        )


def looks_at_root(name: str | Path) -> bool:
    """Whether files of a data set may lie in a root; UserError for a name that is none."""
    name = _meant(str(name))
    return _format(name).named if _is_path(name) else SOURCES.get(name).files


def parse_size(size: int | str | tuple[int, int] | list[int] | None) -> tuple[int, int] | None:
    """(H, W) of 32, "32", "64x128" or (64, 128)."""
    if size is None:
        return None
    parts: list[Any]
    if isinstance(size, str):
        parts = list(size.lower().split("x"))
    else:
        parts = list(size) if isinstance(size, tuple | list) else [size]
    try:
        numbers = [int(part) for part in parts]
    except (ValueError, TypeError, OverflowError):
        numbers = []
    if len(numbers) not in {1, 2} or not 1 <= min(numbers) <= max(numbers) <= LARGEST_SIDE:
        raise UserError(
            f"size should be a side like 32, or HxW like 64x128, of 1 to {LARGEST_SIDE:,} pixels; "
            f"found {size!r}."
        )
    return numbers[0], numbers[-1]


def _meant(name: str) -> str:
    """The registered name that is meant; see `meant`."""
    if not name:
        raise UserError("The name of the data set is empty; write . for the folder where you are.")
    return name if is_outside(name) else meant(name, SOURCES.names())


def meant(name: str, known: Sequence[str]) -> str:
    """The known name that differs from `name` in case and signs between letters alone (CIFAR-10),
    else the name itself. A path of that name is meant as it stands."""
    try:
        if name in known or Path(name).exists():
            return name
    except OSError as error:
        shown = name if len(name) < 100 else f"{name[:60]}..."
        raise UserError(f"{shown} cannot be read: {reason(error)}.") from error
    return {_plain(known_name): known_name for known_name in known}.get(_plain(name), name)


def _plain(name: str) -> str:
    return re.sub(r"[-_. ]", "", name.lower())


def _is_path(name: str) -> bool:
    return name not in SOURCES and not is_outside(name)


def _format(name: str) -> Format:
    """The format of what a path, or an expression of several sets, means."""
    path = Path(name)
    try:
        for _, known in sorted(FORMATS.items(), key=lambda item: item[1].last):
            if known.recognizes(path):
                return known
        there = path.exists()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {reason(error)}.") from error
    if there:
        raise UserError(
            f"{path} is neither a folder of images nor an .npz file, nor a table that names "
            "images; if it is an archive, extract it."
        )
    raise UserError(
        f"There is no data set {name!r}, and no folder or .npz file of that name either: "
        f"{nearest(name, SOURCES.names())} {remedy()}"
    )


def _under(data: Dataset, given: str | Path | Mapping[str, Any] | Taxonomy) -> Dataset:
    """A set under other coarser levels; UserError where that would take the domains away."""
    taxonomy = _taxonomy(data.taxonomy, given)
    if data.domains and taxonomy.levels[:2] != data.taxonomy.levels[:2]:
        raise UserError(
            f"{data.name} holds domains, and its levels say which: give the taxonomy to the "
            "image's own domain, as in image=fashion-mnist-10k,taxonomy=FILE."
        )
    return data.with_taxonomy(taxonomy)


def _taxonomy(own: Taxonomy, given: str | Path | Mapping[str, Any] | Taxonomy) -> Taxonomy:
    """A whole taxonomy as it is; else the set's own with other coarser levels."""
    if isinstance(given, Taxonomy):
        return given
    if isinstance(given, Mapping) and isinstance(given.get("levels"), list):
        return Taxonomy.from_dict(given)
    return own.with_file(given)
