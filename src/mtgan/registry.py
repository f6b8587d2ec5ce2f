"""One registry for everything that is called by a name, here or in modules of the user's own."""

import ast
import contextlib
import difflib
import importlib
import pkgutil
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from mtgan import plugins
from mtgan.errors import UserError

T = TypeVar("T")
Made = TypeVar("Made")

_SHOWN = 50  # names in one sentence
_MAIN = "__main__"


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
    """Names to things of one kind; refuses duplicates, and names the nearest on a miss.

    places: the package whose files register things, or single modules; they are imported at first
    use, so that a new file there is enough. Plugins (mtgan.plugins) are imported with them. Where a
    name is taken, `module:Name` means that attribute of a module outside. has: attributes that a
    thing of this kind has, by which one from outside is checked. capabilities: attributes by which
    it may say what it can do or needs, and what holds of one that says nothing.
    """

    def __init__(
        self,
        kind: str,
        *places: str,
        has: tuple[str, ...] = (),
        capabilities: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.kind = kind
        self.places = places
        self.has = has
        self.capabilities = capabilities
        self._entries: dict[str, T] = {}
        self._outside: dict[str, T] = {}  # by module:Name
        self._origins: dict[str, tuple[Any, str]] = {}  # what was decorated, and in which module
        self._discovered = False
        REGISTRIES[kind] = self

    # Registering

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator that files what it decorates under `name`; UserError where that is taken."""
        return self.register_as(name, lambda entry: entry)

    def register_as(self, name: str, make: Callable[[Made], T]) -> Callable[[Made], Made]:
        """As `register`; what is filed is made of what is decorated."""
        frame: Any = sys._getframe(1)
        if frame.f_globals is globals():  # called by `register`
            frame = frame.f_back
        module = frame.f_globals.get("__name__", _MAIN)

        def file(written: Made) -> Made:
            # An instance says of its class only where that was written.
            home = (written.__module__ if hasattr(written, "__qualname__") else module) or _MAIN
            self._refuse_second(name, home)
            self._entries[name] = make(written)
            self._origins[name] = (written, home)
            return written

        return file

    def _refuse_second(self, name: str, module: str) -> None:
        if name not in self._entries:
            return
        _, before = self._origins.get(name, (None, ""))
        if before == module == _MAIN:
            return  # a cell of a notebook that is run again
        raise UserError(
            f"The {self.kind} {name!r} is registered twice, by {before} and by {module}; give one "
            "another name."
        )

    # Asking

    def get(self, name: str) -> T:
        """The entry called `name`, or what module:Name means; UserError when there is none."""
        if plugins.is_outside(name) and name not in self._entries:
            return self._from_outside(name)
        if name not in self._entries:
            self._discover()
        if name not in self._entries:
            missing = self.missing(name)
            raise UserError(missing[0].upper() + missing[1:])
        return self._entries[name]

    def names(self) -> list[str]:
        self._discover()
        return list(self._entries)

    def __contains__(self, name: str) -> bool:
        if name not in self._entries:
            self._discover()
        return name in self._entries

    def items(self) -> Iterator[tuple[str, T]]:
        """(name, entry) in the order of registration."""
        self._discover()
        yield from list(self._entries.items())

    def takes(self, name: str) -> bool:
        """Whether `get` gives something for the name; UserError for a module:Name of which there is
        no module or no such name in it."""
        if not plugins.is_outside(name) or name in self._entries:
            return name in self
        thing = plugins.find(name)
        registered = any(written is thing for written, _ in self._origins.values())
        return registered or all(hasattr(thing, key) for key in self.has)

    def missing(self, name: str) -> str:
        """The sentence about a name that is none; of this package's own names, what can be read
        without importing them."""
        known = list(dict.fromkeys((*self.written, *self._entries)))
        return f"there is no {self.kind} {name!r}: {nearest(name, known)} {plugins.remedy()}"

    def check(self, name: str) -> str:
        """The name, where there is such an entry, else a ValueError with the nearest.

        The package's own files are read for it and not imported, since that may take seconds.
        """
        if name in self.written or name in self._entries:
            return name
        if plugins.is_outside(name):
            self._from_outside(name)
            return name
        plugins.use_installed()
        if name not in self._entries:
            raise ValueError(self.missing(name))
        return name

    def capability(self, name: str, key: str) -> Any:
        """What the entry called `name` says of itself by its attribute `key`, else the default of
        its kind. As in `check`, the package's own files are read for it and not imported."""
        if name in self._entries or name not in self._texts:
            return getattr(self.get(name), key, self.capabilities[key])
        return _attributes(self._texts[name], name).get(key, self.capabilities[key])

    def those_with(self, key: str) -> list[str]:
        """The package's own names of which the capability `key` is true."""
        return [name for name in self.written if self.capability(name, key)]

    @property
    def written(self) -> tuple[str, ...]:
        """The names that this registry's own files register, as they stand in the source."""
        return tuple(self._texts)

    @cached_property
    def _texts(self) -> dict[str, str]:
        """The source of the file that registers a name, by these names."""
        pattern = re.compile(r'\bregister(?:_(?!buffer)\w+)?\(\s*"([^"]+)"')
        texts = (text for place in self.places for text in _sources(place))
        return {name: text for text in texts for name in pattern.findall(text)}

    # Modules of others

    def modules(self) -> list[str]:
        """The modules outside this package that have registered something here, or that a
        module:Name has been taken from."""
        kept = [self._origins[name][1] for name in self._entries if name in self._origins]
        taken = [name.partition(":")[0] for name in self._outside]
        return [name for name in (*kept, *taken) if name.partition(".")[0] != "mtgan"]

    def _from_outside(self, name: str) -> T:
        if name in self._outside:
            return self._outside[name]
        thing = plugins.find(name)
        for known, (written, _) in self._origins.items():
            if written is thing and known in self._entries:
                return self._entries[known]
        if lacking := [key for key in self.has if not hasattr(thing, key)]:
            what = "cannot be called" if lacking[0] == "__call__" else f"has no {lacking[0]!r}"
            raise UserError(f"{name} is no {self.kind}: it {what}; see docs/api.md.")
        self._outside[name] = thing
        return thing

    def _discover(self) -> None:
        if not self._discovered:
            self._discovered = True  # an import may ask meanwhile
            try:
                for place in self.places:
                    _import_all(place)
            except BaseException:
                self._discovered = False
                raise
        plugins.use_installed()


def plugin_modules() -> list[str]:
    """The modules outside this package on which parts depend, whether named or just imported.

    `__main__` among them is the user's script, which no other process can import.
    """
    found = [name for registry in REGISTRIES.values() for name in registry.modules()]
    return list(dict.fromkeys((*plugins.named(), *found)))


def plugin_versions() -> dict[str, str]:
    """The modules on which parts depend, with their versions, as a run records them. What the
    script itself has registered is known to nobody else, and a warning says so."""
    found = plugin_modules()
    if _MAIN in found:
        warnings.warn(
            f"{_own_script()}, so no other command knows them; {_TO_A_MODULE}", stacklevel=3
        )
    return plugins.versions(name for name in found if name != _MAIN)


def plugin_folders() -> dict[str, str]:
    """The modules on which parts depend, with the folder in which another process finds each.

    UserError where the script itself has registered some, which no other process can import.
    """
    found = plugin_modules()
    if _MAIN in found:
        raise UserError(f"{_own_script()}, and workers cannot know them; {_TO_A_MODULE}")
    return plugins.folders(found)


_TO_A_MODULE = "write them into a module, and name that under plugins."


def _own_script() -> str:
    names = [
        f"{registry.kind} {name!r}"
        for registry in REGISTRIES.values()
        for name, (_, module) in registry._origins.items()
        if module == _MAIN and name in registry._entries
    ]
    return f"The script itself registers parts ({', '.join(names)})"


def _import_all(place: str) -> None:
    """Import a module; of a package, all its files."""
    package = importlib.import_module(place)
    for info in pkgutil.iter_modules(getattr(package, "__path__", [])):
        importlib.import_module(f"{place}.{info.name}")


def _sources(place: str) -> Iterator[str]:
    """The source of a module of this package, or of the files of a folder, without importing."""
    path: Traversable = resources.files("mtgan").joinpath(*place.split(".")[1:-1])
    last = place.rpartition(".")[2]
    if (file := path.joinpath(f"{last}.py")).is_file():
        yield file.read_text(encoding="utf-8")
    elif (folder := path.joinpath(last)).is_dir():
        for file in sorted(folder.iterdir(), key=lambda file: file.name):
            if file.name.endswith(".py"):
                yield file.read_text(encoding="utf-8")


@cache
def _attributes(source: str, name: str) -> dict[str, Any]:
    """The literal attributes of what a source registers as `name`: those in a class's body, or the
    keywords that an object is made with."""
    found: list[tuple[str | None, ast.expr | None]] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and any(_registers(d, name) for d in node.decorator_list):
            for line in node.body:
                targets = line.targets if isinstance(line, ast.Assign) else []
                if isinstance(line, ast.AnnAssign):
                    targets = [line.target]
                value = getattr(line, "value", None)
                found += [(target.id, value) for target in targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            made = [made for made in node.value.args if isinstance(made, ast.Call)]
            if _registers(node.value.func, name) and made:
                found += [(keyword.arg, keyword.value) for keyword in made[0].keywords]
    values = {}
    for key, value in found:
        with contextlib.suppress(ValueError):  # no literal
            values[str(key)] = ast.literal_eval(value) if value else None
    return values


def _registers(node: ast.expr, name: str) -> bool:
    """Whether this is a call of `register(name)`."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "register"
        and [getattr(argument, "value", None) for argument in node.args] == [name]
    )
