"""The templates of this package's pages."""

from jinja2 import Environment, PackageLoader, StrictUndefined


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
