"""The templates of this package's pages."""

from collections.abc import Callable, Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined

from mtgan.markup import latex, markdown
from mtgan.text import printable


def environment(autoescape: bool = True) -> Environment:
    """Where templates are found, and how they are read: a name that is missing is an error.

    autoescape: whether texts are made HTML's.
    """
    return Environment(
        loader=PackageLoader("mtgan.reports"),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


_ESCAPES: Mapping[str, Callable[[str], str]] = {
    "html": printable,
    "md": markdown,
    "tex": latex,
}
ENDINGS = tuple(_ESCAPES)
"""Endings in which a page for papers is written."""


def document_environment(kind: str) -> Environment:
    """As `environment`, for a page of one of these kinds, in which every text stands as it is."""
    found = environment(autoescape=kind == "html")
    escape = _ESCAPES[kind]
    found.finalize = lambda value: escape(value) if isinstance(value, str) else value
    return found
