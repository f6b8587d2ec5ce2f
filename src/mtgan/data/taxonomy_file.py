"""What a taxonomy file says: levels {level: {class: parent}}, perhaps over those of another one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtgan.errors import UserError
from mtgan.files import read_yaml

EXTENDS = "extends"
BUILT_IN = "built-in"
"""What is extended where that is no file: the levels that the data set has by itself."""


def whole_taxonomy(source: str | Path | Mapping[str, Any]) -> dict[str, Any]:
    """The levels of a YAML file or mapping after those of the files that it extends, finest first,
    so that what is returned means the same without any of those files.

    The key `extends` is left only where they lie above the data set's own (BUILT_IN). A file that
    is extended lies where the one that names it does; for a mapping, in the current folder.

    Raises:
        UserError: A file that is missing or no taxonomy; files that extend each other in a circle;
            a level in two of them.
    """
    if isinstance(source, Mapping):
        return _whole(source, "the taxonomy", Path(), ())
    return _read(Path(source), ())


def extends_a_file(source: str | Path | Mapping[str, Any]) -> bool:
    """Whether a YAML file or mapping is whole only together with another file."""
    values = source
    if not isinstance(source, Mapping):
        values = read_yaml(source, "the taxonomy file", strings=True)
    base = values.get(EXTENDS) if isinstance(values, Mapping) else None
    return isinstance(base, str) and base != BUILT_IN


def _read(path: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    if path.resolve() in below:
        circle = " -> ".join(file.name for file in (*below, path))
        raise UserError(f"The taxonomy files {circle} extend each other in a circle.")
    values = read_yaml(path, "the taxonomy file", strings=True)
    where = f"the taxonomy file {path}"
    return _whole(values, where, path.parent, (*below, path.resolve()))


def _whole(values: Any, where: str, folder: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    levels = dict(values) if isinstance(values, Mapping) else {}
    # A level may be called so as well.
    base = levels.pop(EXTENDS) if isinstance(levels.get(EXTENDS), str) else None
    if not isinstance(values, Mapping) or not all(map(_is_level, levels.values())):
        raise UserError(f"{where} should be a mapping of the form level: {{class: parent}}.")
    levels = {str(level): mapping for level, mapping in levels.items()}
    if base is None:
        return levels
    if base == BUILT_IN:
        return {EXTENDS: base, **levels}
    path = folder / base
    if not path.exists():
        raise UserError(
            f"{where} extends {base!r}, but there is no file {path}; name a taxonomy file, or "
            f"{BUILT_IN} for the levels of the data set itself."
        )
    found = _read(path, below)
    for level in levels:
        if level in found:
            raise UserError(
                f"{where} gives the level {level!r}, and so does {path}, which it extends."
            )
    return {**found, **levels}


def _is_level(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(parent, str | int | float) for parent in value.values()
    )
