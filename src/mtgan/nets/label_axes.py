"""Which index along an axis of a parameter stands for which class: what weights are carried by to
other classes, or to the same ones in another order.

A module whose parameters have such an axis says so by `label_axes(told)`: from the names of its
parameters to the axis and what each index along it stands for. Told: what the network tells its
layers. Parameters of which nothing is said mean the same whatever the classes are.
"""

from collections.abc import Sequence
from typing import NamedTuple

from torch import nn
from torch.nn.utils.parametrize import is_parametrized


class ClassEntry(NamedTuple):
    """A class of a label level, by its place there; of: what of it, where an axis has several of
    each class."""

    level: str
    place: int
    of: str = ""


Entry = ClassEntry | str
"""A class, or whatever else an index stands for, by a name that it has in other networks too."""


class LabelAxis(NamedTuple):
    """dim: which axis of a parameter; entries: what the indices along it stand for, in order."""

    dim: int
    entries: tuple[Entry, ...]


class Told(NamedTuple):
    """What a network tells its layers. rows: the classes that tables are looked up by; vector: what
    the numbers of a label vector stand for."""

    rows: tuple[Entry, ...] = ()
    vector: tuple[Entry, ...] = ()


UNSAID = -1
"""The dim of an axis that is somewhere in a part that is given labels and does not say where."""


def class_entries(level: str, count: int, of: str = "") -> tuple[Entry, ...]:
    """The classes of a level, in order."""
    return tuple(ClassEntry(level, index, of) for index in range(count))


def stored_name(module: nn.Module, name: str) -> str:
    """A parameter's name within a module, as it is stored: by spectral normalization apart."""
    path, _, last = name.rpartition(".")
    owner = module.get_submodule(path)
    if is_parametrized(owner, last):
        return f"{path}.parametrizations.{last}.original".lstrip(".")
    return name


def axes_within(layer: nn.Module, told: Told) -> dict[str, LabelAxis]:
    """The axes of a layer's parameters that stand for classes, by the parameters' names in it."""
    found = {}
    for path, module in layer.named_modules():
        say = getattr(module, "label_axes", None)
        if say is not None:
            for name, axis in say(told).items():
                whole = stored_name(layer, f"{path}.{name}".lstrip("."))
                found[whole] = LabelAxis(axis[0], tuple(axis[1]))
        elif given := _vector_of(module):
            for name, _ in module.named_parameters(prefix=path):
                found.setdefault(name, LabelAxis(UNSAID, given))
    return found


def _vector_of(module: nn.Module) -> tuple[Entry, ...]:
    """What the label vector stands for that a module is given for itself."""
    for child in module.children():
        if entries := getattr(child, "entries", ()):
            return tuple(entries)
    return ()


def first_linear(layer: nn.Module, vector: Sequence[Entry]) -> dict[str, LabelAxis]:
    """The columns of a generator's first dense layer, which takes the latent and behind it the
    label vector; nothing where there is no dense layer."""
    for path, module in layer.named_modules():
        if isinstance(module, nn.Linear):
            latents = (f"latent {i}" for i in range(module.in_features - len(vector)))
            name = stored_name(layer, f"{path}.weight".lstrip("."))
            return {name: LabelAxis(1, (*latents, *vector))}
    return {}
