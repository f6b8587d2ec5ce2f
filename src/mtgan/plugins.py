"""Modules of the user's own: who may name them, where they are found, and what is kept of them.

A plugin is a module that registers parts (an objective, a backbone, a data set, ...) when it is
imported. What the user names is imported: on the command line, in MTGAN_PLUGINS, in a recipe or
study that she gives. So are the entry points of the group `mtgan.plugins` of installed packages.
What a folder names that is opened (a run, perhaps of somebody else) is imported only where it is
installed, or where the user says that she trusts the folder. Nothing is ever imported from the
folder of a run.
"""

import contextlib
import importlib
import importlib.util
import os
import re
import site
import sys
import sysconfig
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlparse

from mtgan.errors import UserError

VARIABLE = "MTGAN_PLUGINS"
GROUP = "mtgan.plugins"
REMEDY = "If it is your own, import your module, or name it under plugins."

_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")

_opened: ContextVar[Path | None] = ContextVar("opened", default=None)
_foreign: ContextVar[bool] = ContextVar("foreign", default=False)  # whether others made it
_named: dict[str, None] = {}  # plugins that have been imported
_passed_over: dict[str, Path] = {}  # by name the folder that names it
_loading: list[str] = []  # whether the installed ones have been asked for
_trusted: list[bool] = []


def is_outside(name: str) -> bool:
    """Whether a name has the form module:Name, so that it means something outside the package."""
    inside = re.split("[.:]", name)[0] in {"mtgan", "__main__"}  # whose functions are no parts
    return _NAME.fullmatch(name) is not None and not inside


def use(names: Iterable[str]) -> None:
    """Import plugins, in order.

    Raises:
        UserError: A module that is not found, or fails. Within `opening`, what is not installed is
            passed over instead; the sentence about the part that is then missing names it.
    """
    folder = _opened.get()
    for name in names:
        try:
            import_module(name)
        except Exception as error:
            if folder is not None and isinstance(error, PermissionError | ModuleNotFoundError):
                _passed_over[name] = folder
                continue
            raise UserError(
                f"The plugin {name!r} cannot be imported ({type(error).__name__}: {error}); "
                f"modules are looked for among the installed ones, in PYTHONPATH and in {where()}."
            ) from error
        _named[name] = None
        _passed_over.pop(name, None)


def use_installed() -> None:
    """Import, once, what MTGAN_PLUGINS names and the entry points of installed packages."""
    if _loading:
        return
    _loading.append("begun")
    token = _opened.set(None)
    try:
        use(split_names([os.environ.get(VARIABLE, "")]))
        for point in _entry_points():
            try:
                point.load()
            except Exception as error:  # one broken package should not end every command
                warnings.warn(
                    f"The plugin {point.value} of the package {point.dist.name} cannot be imported "
                    f"({type(error).__name__}: {error}); it is left out.",
                    stacklevel=2,
                )
            else:
                _named[point.module] = None
    except UserError:
        _loading.clear()  # said again at the next use
        raise
    finally:
        _opened.reset(token)


def _entry_points() -> Iterable[Any]:
    from importlib.metadata import entry_points

    return entry_points(group=GROUP)


def split_names(texts: Iterable[str]) -> list[str]:
    """Names of modules out of texts with commas between them."""
    return [name for text in texts for name in re.split(r"[\s,]+", text) if name]


def trust() -> None:
    """Import from now on what opened folders name, wherever it is found but in those folders."""
    _trusted.append(True)


@contextlib.contextmanager
def opening(folder: Path, foreign: bool = False) -> Iterator[None]:
    """What is named meanwhile stands in this folder, and the user has not written it.

    foreign: it comes from somebody else, and names nothing that is imported, installed or not.
    """
    tokens = _opened.set(folder), _foreign.set(foreign)
    try:
        yield
    finally:
        _opened.reset(tokens[0])
        _foreign.reset(tokens[1])


def remedy() -> str:
    """What to do about a part that is not there, as the end of a sentence."""
    if not _passed_over:
        return REMEDY
    names, folder = ",".join(_passed_over), next(iter(_passed_over.values()))
    return (
        f"{folder} was made with the plugin {names}, which was not imported: name it by "
        f"--plugins {names} (or {VARIABLE}={names}), or trust the folder by --trust."
    )


# Finding and importing


def find(name: str) -> Any:
    """What module:Name means.

    Raises:
        UserError: A module that is not found, fails, or may not be imported; no such name in it.
    """
    module, _, attribute = name.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except PermissionError as error:
        raise UserError(
            f"{error}; name it yourself (--plugins {module}, or {VARIABLE}={module}), or trust the "
            "folder by --trust."
        ) from error
    except Exception as error:
        raise UserError(
            f"{name!r} cannot be imported ({type(error).__name__}: {error}); modules are looked "
            f"for among the installed ones, in PYTHONPATH and in {where()}."
        ) from error
    folder, home = _opened.get(), getattr(found, "__module__", None) or module
    borrowed = hasattr(found, "__qualname__") and home.split(".")[0] != module.split(".")[0]
    if folder is not None and borrowed and not _is_users(module):
        # Installed packages import all kinds of functions, none of which was meant as a part.
        raise UserError(f"{folder} names {name}, which {module} only borrows from {home}.")
    return found


def import_module(name: str) -> ModuleType:
    """The module of that name: an installed one, else one in the current folder.

    Raises PermissionError for what an opened folder names and may not; whatever the import raises.
    """
    importlib.invalidate_caches()
    first, folder = name.partition(".")[0], Path.cwd()
    opened = _opened.get()
    may = not _foreign.get() and _is_installed(first)
    if opened is not None and not (_is_users(name) or may):
        only = (
            "nothing that a model names is imported"
            if _foreign.get()
            else ("what a folder names is imported only where it is installed")
        )
        raise PermissionError(f"{opened} names the module {name}, and {only}")
    if first and first not in sys.modules:
        found = importlib.util.find_spec(first)
        beside = (folder / first).is_dir() or (folder / f"{first}.py").is_file()
        if any(map(_is_in_a_run, _places(found))) or (
            found is None and beside and _is_in_a_run(folder / first)
        ):
            raise ModuleNotFoundError(f"{first} lies in the folder of a run")
        if found is None and beside:
            # Last, and for good: a function may import a neighbor when it is called.
            sys.path.append(str(folder))
    return importlib.import_module(name)


def where() -> str:
    """The current folder in words, for sentences."""
    if _is_in_a_run(Path.cwd() / "module"):
        return "the current folder where it is none of a run (this one is, and is passed over)"
    return f"the current folder, {Path.cwd()}"


def _places(spec: ModuleSpec | None) -> list[Path]:
    """Where a module or package lies."""
    if spec is None:
        return []
    places = [*(spec.submodule_search_locations or []), *([spec.origin] if spec.origin else [])]
    return [Path(place).resolve() for place in places]


def _is_in_a_run(path: Path) -> bool:
    """Whether a file lies in the folder of a run: what others wrote there is not executed."""
    return any(
        (folder / "recipe.yaml").exists() and (folder / "data.json").exists()
        for folder in path.parents
    )


def _is_users(module: str) -> bool:
    """Whether the user has named the module, imported it herself, or trusts whatever is named."""
    first = module.partition(".")[0]
    mine = first in sys.modules and first not in sys.stdlib_module_names
    return bool(_trusted) or module in _named or (mine and not _is_installed(first))


def _is_installed(first: str) -> bool:
    """Whether a package or module belongs to an installed distribution, editable ones included."""
    try:
        found = importlib.util.find_spec(first)
    except (ValueError, ImportError):  # __main__ has no spec
        return False
    places = _places(found)
    return bool(places) and all(
        any(place.is_relative_to(root) for root in _roots()) for place in places
    )


@cache
def _roots() -> tuple[Path, ...]:
    """The folders of installed packages, and those of editable installs."""
    from importlib.metadata import distributions

    paths = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()]
    if site.ENABLE_USER_SITE:
        paths.append(site.getusersitepackages())
    for distribution in distributions():
        text = distribution.read_text("direct_url.json") or ""
        if '"editable"' in text and (url := re.search(r'"url":\s*"(file:[^"]+)"', text)):
            paths.append(unquote(urlparse(url[1]).path))
    return tuple(Path(path).resolve() for path in dict.fromkeys(paths))


# What is kept of plugins


def named() -> list[str]:
    """Names of the plugins that have been imported as such."""
    return list(_named)


def versions(modules: Iterable[str]) -> dict[str, str]:
    """The version of each module: its distribution's, else its own `__version__`, else ""."""
    from importlib.metadata import packages_distributions, version

    known: Mapping[str, list[str]] = packages_distributions()
    found = {}
    for module in modules:
        first = module.partition(".")[0]
        packages = known.get(first, [])
        own = getattr(sys.modules.get(first), "__version__", "")
        found[module] = version(packages[0]) if packages else str(own)
    return found


def options(modules: Iterable[str]) -> tuple[str, ...]:
    """The words of a command line by which another command knows these modules; none for those
    that are installed."""
    names = [name for name in modules if not _is_installed(name.partition(".")[0])]
    return ("--plugins", ",".join(names)) if names else ()


def folders(modules: Iterable[str]) -> dict[str, str]:
    """For each module the folder in which another process finds it; "" for installed ones."""
    found = {}
    for module in modules:
        first = module.partition(".")[0]
        places = (
            [] if _is_installed(first) else _places(getattr(sys.modules[first], "__spec__", None))
        )
        found[module] = str(places[0].parent) if places else ""
    return found


def use_from(modules: Mapping[str, str]) -> None:
    """Import plugins that another process of the user's has found; see `folders`.

    UserError as of `use`.
    """
    for folder in dict.fromkeys(modules.values()):
        if folder and folder not in sys.path:
            sys.path.append(folder)
    use(modules)
