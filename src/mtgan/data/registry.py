"""What can be loaded, by name and by path: two registries."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mtgan.data.dataset import Dataset
from mtgan.data.request import Request
from mtgan.registry import Registry

SPLITS = ("train", "test", "all")


Loader = Callable[[Request], Dataset]


@dataclass(frozen=True)
class Source:
    """A loader under a name, and one line about it.

    files: whether it reads files, so that a root may say in which folder they lie.
    """

    about: str
    load: Loader
    files: bool = True


def absolute(name: str) -> str:
    """The path in a form that means the same from any folder."""
    return str(Path(name).resolve())


@dataclass(frozen=True)
class Format:
    """A loader of the paths that it recognizes.

    last: it asks little of a path, so others come first; lazy: as load, but the samples are read
    from the disk when they are sliced; full_name: the name as it outlives the current folder;
    named: what it recognizes holds names of data sets, whose files may lie in a root.
    """

    recognizes: Callable[[Path], bool]
    load: Loader
    last: bool = False
    lazy: Loader | None = None
    full_name: Callable[[str], str] = absolute
    named: bool = False


SOURCES: Registry[Source] = Registry("data set", "mtgan.data.sources", has=("about", "load"))
FORMATS: Registry[Format] = Registry("format", "mtgan.data.sources", has=("recognizes", "load"))


def register_dataset(name: str, about: str, files: bool = True) -> Callable[[Loader], Loader]:
    """Decorator that files a loader, Request -> Dataset, under a name of its own; see Source."""
    return SOURCES.register_as(name, lambda load: Source(about, load, files))


def register_format(
    name: str,
    recognizes: Callable[[Path], bool],
    last: bool = False,
    lazy: Loader | None = None,
    full_name: Callable[[str], str] = absolute,
    named: bool = False,
) -> Callable[[Loader], Loader]:
    """Decorator that files a loader, Request -> Dataset, for the paths that it recognizes; the
    other arguments as of Format."""
    return FORMATS.register_as(
        name, lambda load: Format(recognizes, load, last, lazy, full_name, named)
    )


def list_datasets() -> dict[str, str]:
    """One line about each registered data set, by name."""
    return {name: SOURCES.get(name).about for name in SOURCES.names()}
