"""Several data sets as one, told apart by a task code: a GAN over domains.

The samples are canvases (mtgan.data.domains). The labels have two levels: `class`, the finest
classes of all domains (a domain without labels is one class), and above it `domain`, the task
code. So conditioning, task heads, sampling and runs need nothing of their own.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from mtgan.data.dataset import Dataset
from mtgan.data.domains.canvas import Domain, ImageDomain, SequenceDomain, canvas_size
from mtgan.data.domains.parts import CLASS_LEVEL, DOMAIN_LEVEL
from mtgan.data.domains.sequences import (
    STRING_SOURCES,
    SequenceOptions,
    read_sequences,
    sequence_options,
)
from mtgan.data.domains.strings import is_text, refuse_doubtful
from mtgan.data.folders.tables import names_images
from mtgan.data.load import load_dataset, meant
from mtgan.data.registry import Request, register_dataset, register_format
from mtgan.data.taxonomy import Taxonomy
from mtgan.errors import UserError
from mtgan.files import parse_yaml, read_yaml
from mtgan.registry import nearest

_IMAGE_KEYS = ("size", "channels", "taxonomy", "placement")
_SEQUENCE_KEYS = tuple(item.name for item in fields(SequenceOptions))


@dataclass(frozen=True)
class DomainSpec:
    """One domain as asked for: its name, its data set, and options."""

    name: str
    data: str
    options: dict[str, Any]

    @property
    def is_sequence(self) -> bool:
        path = Path(self.data)
        asked = not self.options.keys().isdisjoint(_SEQUENCE_KEYS)
        return self.data in STRING_SOURCES or (is_text(path) and (asked or not names_images(path)))


def is_domains(name: str) -> bool:
    """Whether a data set's name speaks of domains: NAME=DATA,KEY=VALUE + ..., or a file of
    strings (a table that names images is none), or a YAML file of domains."""
    path = Path(name)
    if is_text(path) or _is_yaml(path):
        return not names_images(path)
    named = meant(name.split(",")[0], STRING_SOURCES.names()) in STRING_SOURCES
    return (named or "+" in name or "=" in name) and not path.exists()


def _is_yaml(path: Path) -> bool:
    return path.suffix.lower() in {".yaml", ".yml"} and not path.is_dir()


def parse_domains(text: str, root: Path | None = None) -> list[DomainSpec]:
    """[NAME=]DATA[,KEY=VALUE...] with + between domains, or the path of a YAML file
    {domains: {NAME: {data: DATA, KEY: VALUE}}}. Values are read as YAML."""
    if _is_yaml(Path(text)) and "+" not in text:
        entries = _from_yaml(Path(text))
    else:
        entries = [_from_text(part.strip()) for part in text.split("+")]
    specs = [_checked(name, dict(options), text) for name, options in entries]
    names = [spec.name for spec in specs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"Two domains of {text!r} are called {twice!r}; name them: a=...+b=...")
    return specs


def _from_text(part: str) -> tuple[str | None, dict[str, Any]]:
    first, *pairs = part.split(",")
    name, equals, data = first.rpartition("=")
    options: dict[str, Any] = {"data": data.strip()}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UserError(f"The domain {part!r}: {pair!r} should be KEY=VALUE.")
        # A string of symbols is no YAML.
        key = key.strip()
        options[key] = (
            value if key in {"alphabet", "padding"} else parse_yaml(value, f"The domain {part!r}")
        )
    return name.strip() or None, options


def _from_yaml(path: Path) -> list[tuple[str | None, dict[str, Any]]]:
    values = read_yaml(path, "The file of domains")
    domains = values.get("domains") if isinstance(values, Mapping) else None
    if not isinstance(domains, Mapping) or not all(
        isinstance(v, Mapping) for v in domains.values()
    ):
        raise UserError(f"{path} should hold domains: {{NAME: {{data: DATA, KEY: VALUE}}}}.")
    return [(str(name), dict(options)) for name, options in domains.items()]


def _checked(name: str | None, options: dict[str, Any], text: str) -> DomainSpec:
    data = options.pop("data", "")
    if not isinstance(data, str) or not data:
        raise UserError(f"A domain of {text!r} names no data set; write NAME=DATA.")
    data = meant(data, STRING_SOURCES.names())
    known = STRING_SOURCES.get(data).domain if data in STRING_SOURCES else None
    spec = DomainSpec(name or "", data, options)
    usual = known or ("sequence" if spec.is_sequence else "image")
    keys = _SEQUENCE_KEYS if spec.is_sequence else _IMAGE_KEYS
    for key in options:
        if key not in keys:
            raise UserError(
                f"The domain {name or usual!r} has no key {key!r}: {nearest(key, list(keys))}"
            )
    if spec.is_sequence and not name and not options and data not in STRING_SOURCES:
        refuse_doubtful(Path(data))
    return DomainSpec(name or usual, data, options)


@dataclass(frozen=True)
class _Part:
    """One domain, read: its samples [N, ...] as its `write` takes them, and class indices [N]."""

    domain: Domain
    samples: Any
    labels: np.ndarray
    classes: tuple[str, ...]
    notes: tuple[str, ...]


def _read_part(spec: DomainSpec, request: Request) -> _Part:
    if spec.is_sequence:
        how = sequence_options(spec.options)
        read = read_sequences(spec.data, spec.name, how, request.split, request.root)
        return _Part(read.domain, read.tokens, read.labels, read.classes, read.notes)
    options = dict(spec.options)
    placement = options.pop("placement", "pad")
    if placement not in {"pad", "resize"}:
        raise UserError(f"placement should be pad or resize; found {placement!r}.")
    data = load_dataset(
        spec.data, request.split, root=request.root, download=request.download, **options
    )
    if not len(data):
        raise UserError(f"The domain {spec.name!r} ({spec.data}) is empty.")
    levels = data.taxonomy.levels if (data.labels >= 0).any() else ()
    labels = data.labels[:, 0] if levels else np.zeros(len(data), dtype=np.int64)
    classes = data.taxonomy.classes[levels[0]] if levels else (spec.name,)
    domain = ImageDomain(spec.name, data.shape, placement)
    return _Part(domain, np.asarray(data.samples), labels, tuple(classes), data.notes)


def _taxonomy(parts: list[_Part]) -> Taxonomy:
    """Classes under their own names, or as DOMAIN/CLASS where two domains have one of that name."""
    times = Counter(name for part in parts for name in part.classes)
    classes = tuple(
        f"{part.domain.name}/{name}" if times[name] > 1 else name
        for part in parts
        for name in part.classes
    )
    parents = tuple(i for i, part in enumerate(parts) for _ in part.classes)
    return Taxonomy(
        (CLASS_LEVEL, DOMAIN_LEVEL),
        {CLASS_LEVEL: classes, DOMAIN_LEVEL: tuple(part.domain.name for part in parts)},
        {CLASS_LEVEL: (DOMAIN_LEVEL, parents)},
    )


def _labels(parts: list[_Part]) -> np.ndarray:
    """int64 [N, 2]; a missing class stays missing, its domain is known."""
    rows, first = [], 0
    for i, part in enumerate(parts):
        classes = np.where(part.labels >= 0, part.labels + first, -1)
        rows.append(np.stack([classes, np.full(len(classes), i)], axis=1))
        first += len(part.classes)
    return np.concatenate(rows)


def real_strings(name: str, split: str, root: Path | None = None) -> list[str]:
    """The strings of a data set of one domain of strings, as they read back from the canvas."""
    data = load_dataset(name, split, root=root)
    if len(data.domains) != 1 or not isinstance(data.domains[0], SequenceDomain):
        raise UserError(f"{name!r} is no data set of strings; name one, as nci-smiles,length=32.")
    return data.domains[0].read(data.samples)


def full_name(name: str) -> str:
    """The same name with the paths in it made absolute, so that it outlives the folder."""
    if _is_yaml(Path(name)) and "+" not in name:
        return str(Path(name).resolve())
    specs = []
    for spec in parse_domains(name):
        is_file = Path(spec.data).exists()
        data = str(Path(spec.data).resolve()) if is_file else spec.data
        pairs = [f"{key}={_plain(value)}" for key, value in spec.options.items()]
        specs.append(",".join([f"{spec.name}={data}", *pairs]))
    return "+".join(specs)


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@register_format("domains", lambda path: is_domains(str(path)), full_name=full_name)
def load_domains(request: Request) -> Dataset:
    """The data set over the domains that request.name speaks of.

    Raises UserError for a name or option that does not fit, and for a domain that is empty.
    """
    if request.size or request.channels:
        raise UserError(
            "Domains share one canvas, whose size follows from them: give size and channels to the "
            "image's own domain, as in image=fashion-mnist-10k,size=16."
        )
    parts = [_read_part(spec, request) for spec in parse_domains(request.name)]
    size = canvas_size([part.domain for part in parts])
    samples = np.concatenate([part.domain.write(part.samples, size) for part in parts])
    taxonomy = _taxonomy(parts)
    return Dataset(
        samples,
        _labels(parts),
        taxonomy,
        name="+".join(part.domain.name for part in parts),
        split=request.split,
        notes=tuple(note for part in parts for note in part.notes),
        domains=tuple(part.domain for part in parts),
    )


@register_dataset(
    "nci-smiles",
    "4,999 molecules of the NCI as SMILES, of which those of at most 32 "
    "characters (in the package rdkit).",
)
def load_nci(request: Request) -> Dataset:
    return load_domains(request)


@register_dataset("moses", "1,760,739 drug-like molecules as SMILES (in the package molsets).")
def load_moses(request: Request) -> Dataset:
    return load_domains(request)
