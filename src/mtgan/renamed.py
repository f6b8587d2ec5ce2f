"""What was renamed, under its old name with a warning, for one release."""

import importlib
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any


def warn_renamed(old: str, new: str) -> None:
    """A DeprecationWarning at the line outside of this package that asked for the old name."""
    frame, depth = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == "mtgan":
        frame, depth = frame.f_back, depth + 1
    warnings.warn(f"{old} is called {new} now.", DeprecationWarning, stacklevel=depth)


def renamed_in(module: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """A `__getattr__` of a module: old names in it to the whole new ones, imported when asked."""

    def get(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warn_renamed(f"{module}.{name}", names[name])
        place, _, attribute = names[name].rpartition(".")
        return getattr(importlib.import_module(place), attribute)

    return get


def renamed_property(new: str) -> Any:
    """A class's attribute under an old name: its value is that of `new`."""

    class Renamed:
        def __set_name__(self, owner: type, name: str) -> None:
            self.old = f"{owner.__name__}.{name}"

        def __get__(self, instance: Any, owner: type) -> Any:
            if instance is None:
                return self
            warn_renamed(self.old, f"{owner.__name__}.{new}")
            return getattr(instance, new)

    return Renamed()
