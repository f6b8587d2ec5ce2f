"""Names of classes and levels: how they are compared, ordered and refused."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

# What the levels of a nested hierarchy are called, finest first.
_CHAIN_NAMES = ("fine", "coarse", "top")


def chain_name(position: int) -> str:
    """fine, coarse, top, level4, level5, ..."""
    return _CHAIN_NAMES[position] if position < 3 else f"level{position + 1}"


def clean_name(name: str) -> str:
    """The name as it is compared: accents composed (NFC), without blanks about it."""
    return unicodedata.normalize("NFC", name).strip()


def natural_order(names: Iterable[str]) -> list[str]:
    """The one order of class names: whole numbers first, by number; then by the alphabet, where
    numbers inside names count as numbers (class2, class10)."""
    return sorted(names, key=natural_key)


def natural_key(name: str) -> tuple[Any, ...]:
    """What natural_order sorts by."""
    if re.fullmatch("-?[0-9]{1,18}", name):
        return 0, int(name), (), name
    parts = re.split("([0-9]+)", name)
    numbers = [(len(digits.lstrip("0")), digits.lstrip("0")) for digits in parts[1::2]]
    chunks: list[Any] = [*parts]
    chunks[1::2] = numbers
    return 1, 0, tuple(chunks), name


def name_fault(name: str, level: bool = False) -> str:
    """Why a class, or a level, cannot be called so, as "it ..."; "" where it can."""
    if not name:
        return "it is empty"
    try:
        name.encode()
    except UnicodeEncodeError:
        return "it is not in UTF-8 (rename the folder or cell that it comes from)"
    if "\0" in name:
        return "it holds a null character"
    if level and "/" in name:
        return 'it holds a "/", which parts levels from measures'
    if level and any(unicodedata.category(character) == "Cc" for character in name):
        return "it holds control characters"
    return ""


def class_map(own: Sequence[str], other: Sequence[str]) -> np.ndarray:
    """int64 [K + 1]: the index among `other` of each of the K names of `own`, -1 where it is not
    there. The last entry is for missing labels, so that class_map(own, other)[labels] translates.
    """
    place = {name: i for i, name in enumerate(other)}
    return np.array([*(place.get(name, -1) for name in own), -1], dtype=np.int64)
