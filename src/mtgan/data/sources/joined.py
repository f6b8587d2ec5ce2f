"""Several data sets as one, told apart by a task code: a GAN over domains.

The samples are canvases (mtgan.data.domains.base). The labels have two levels: `class`, the finest
classes of all domains (a domain without labels is one class), and above it `domain`, the task
code. So conditioning, task heads, sampling and runs need nothing of their own.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtgan.data.dataset import Dataset
from mtgan.data.domains.base import DOMAINS, Domain, DomainData, Size, canvas_size
from mtgan.data.domains.parts import CLASS_LEVEL, DOMAIN_LEVEL
from mtgan.data.load import meant
from mtgan.data.registry import SOURCES, register_dataset, register_format
from mtgan.data.request import Request
from mtgan.data.sources.sets import is_sets
from mtgan.data.taxonomy import Taxonomy
from mtgan.errors import UserError
from mtgan.files import parse_yaml, read_yaml
from mtgan.registry import nearest

_USUAL = "image"  # the type of what no other type recognizes


@dataclass(frozen=True)
class DomainSpec:
    """One domain as asked for: its name, its data set, options, and its kind."""

    name: str
    data: str
    options: dict[str, Any]
    kind: type[Domain]


def is_domains(name: str) -> bool:
    """Whether a data set's name speaks of domains: NAME=DATA,KEY=VALUE + ..., or a YAML file of
    domains, or data that a type of domain recognizes."""
    if is_sets(name):
        return False
    if _is_yaml(name):
        return True
    first = meant(name.split(",")[0], SOURCES.names())
    if any(kind.recognizes(data, {}) for data in (name, first) for _, kind in DOMAINS.items()):
        return True
    return ("+" in name or "=" in name) and not Path(name).exists()


def _is_yaml(name: str) -> bool:
    path = Path(name)
    return path.suffix.lower() in {".yaml", ".yml"} and not path.is_dir()


def parse_domains(text: str) -> list[DomainSpec]:
    """[NAME=]DATA[,KEY=VALUE...] with + between domains, or the path of a YAML file
    {domains: {NAME: {data: DATA, KEY: VALUE}}}. Values are read as YAML."""
    if _is_yaml(text) and "+" not in text:
        specs = [_spec(name, dict(options), text) for name, options in _from_yaml(text).items()]
    else:
        specs = [_from_text(part.strip(), text) for part in text.split("+")]
    names = [spec.name for spec in specs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"Two domains of {text!r} are called {twice!r}; name them: a=...+b=...")
    return specs


def _from_text(part: str, text: str) -> DomainSpec:
    first, *pairs = part.split(",")
    name, _, data = first.rpartition("=")
    options: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UserError(f"The domain {part!r}: {pair!r} should be KEY=VALUE.")
        options[key.strip()] = value
    spec = _spec(name.strip(), {"data": data.strip(), **options}, text)
    for key in options.keys() - spec.kind.symbols:
        spec.options[key] = parse_yaml(options[key], f"The domain {part!r}")
    return spec


def _from_yaml(path: str) -> Mapping[str, Mapping[str, Any]]:
    values = read_yaml(path, "The file of domains")
    domains = values.get("domains") if isinstance(values, Mapping) else None
    if not isinstance(domains, Mapping) or not all(
        isinstance(v, Mapping) for v in domains.values()
    ):
        raise UserError(f"{path} should hold domains: {{NAME: {{data: DATA, KEY: VALUE}}}}.")
    return {str(name): options for name, options in domains.items()}


def _spec(name: str, options: dict[str, Any], text: str) -> DomainSpec:
    data = options.pop("data", "")
    if not isinstance(data, str) or not data:
        raise UserError(f"A domain of {text!r} names no data set; write NAME=DATA.")
    data = meant(data, SOURCES.names())
    kinds = (kind for _, kind in DOMAINS.items() if kind.recognizes(data, options))
    kind = next(kinds, DOMAINS.get(_USUAL))
    name = name or kind.usual_name(data, options)
    for key in options:
        if key not in kind.options:
            raise UserError(
                f"The domain {name!r} has no key {key!r}: {nearest(key, list(kind.options))}"
            )
    return DomainSpec(name, data, options, kind)


def full_name(name: str) -> str:
    """The same name with the paths in it made absolute, so that it outlives the folder."""
    if _is_yaml(name) and "+" not in name:
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


def _speaks_of_domains(path: Path) -> bool:
    return is_domains(str(path))


@register_format("domains", _speaks_of_domains, full_name=full_name, named=True)
def load_domains(request: Request) -> Dataset:
    """The data set over the domains that request.name speaks of.

    request.size: of the canvas; it follows from the domains when absent.

    Raises UserError for a name or option that does not fit, a canvas that is too small, and for a
    domain that is empty.
    """
    if request.channels:
        raise UserError(
            "Domains share one canvas, which has one channel: give channels to the image's own "
            "domain, as in image=fashion-mnist-10k,channels=3."
        )
    parts = [
        spec.kind.load(spec.name, spec.data, spec.options, request)
        for spec in parse_domains(request.name)
    ]
    size = _canvas([part.domain for part in parts], request.size)
    return Dataset(
        np.concatenate([part.domain.encode(part.samples, size) for part in parts]),
        _labels(parts),
        _taxonomy(parts),
        name="+".join(part.domain.name for part in parts),
        split=request.split,
        notes=tuple(note for part in parts for note in part.notes),
        domains=tuple(part.domain for part in parts),
    )


def _canvas(domains: Sequence[Domain], asked: Size | None) -> Size:
    """(L, V) as asked for, else what holds every domain; UserError where it is too small."""
    least = canvas_size(domains)
    if asked is None:
        return least
    for domain in domains:
        if any(side < own for side, own in zip(asked, domain.least_size, strict=True)):
            raise UserError(
                f"A canvas of {asked[0]} x {asked[1]} does not hold the domain {domain.name!r}, "
                f"which needs {domain.least_size[0]} x {domain.least_size[1]}; take a larger "
                "size, or leave it out."
            )
    return asked


def _taxonomy(parts: Sequence[DomainData]) -> Taxonomy:
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


def _labels(parts: Sequence[DomainData]) -> np.ndarray:
    """int64 [N, 2]; a missing class stays missing, its domain is known."""
    rows, first = [], 0
    for i, part in enumerate(parts):
        classes = np.where(part.labels >= 0, part.labels + first, -1)
        rows.append(np.stack([classes, np.full(len(classes), i)], axis=1))
        first += len(part.classes)
    return np.concatenate(rows)


register_dataset(
    "nci-smiles",
    "4,999 molecules of the NCI as SMILES, of which those of at most 32 "
    "characters (in the package rdkit).",
)(load_domains)
register_dataset("moses", "1,760,739 drug-like molecules as SMILES (in the package molsets).")(
    load_domains
)
