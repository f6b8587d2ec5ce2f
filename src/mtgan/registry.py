"""One small registry for everything that a recipe names."""

import difflib
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from mtgan.errors import UserError

T = TypeVar("T")

_SHOWN = 50  # names in one sentence


def nearest(name: str, known: list[str]) -> str:
    """'did you mean X?' when a known name is close to `name`, else the list of known names."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"known: {', '.join(sorted(known)[:_SHOWN])}{more}."


REGISTRIES: dict[str, "Registry[Any]"] = {}
"""Every registry that is loaded, by its kind."""


class Registry(Generic[T]):
    """Names to things of one kind; refuses duplicates, and names the nearest on a miss."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}
        REGISTRIES[kind] = self

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator that files what it decorates under `name`."""
        if name in self._entries:
            raise AssertionError(f"{self.kind} {name!r} is registered twice")

        def file(entry: T) -> T:
            self._entries[name] = entry
            return entry

        return file

    def get(self, name: str) -> T:
        """The entry called `name`; UserError when there is none."""
        if name not in self._entries:
            raise UserError(f"There is no {self.kind} {name!r}: {nearest(name, self.names())}")
        return self._entries[name]

    def names(self) -> list[str]:
        return list(self._entries)

    def __contains__(self, name: str) -> bool:
        return name in self._entries
