"""The one error type for what a user can mend, and the commonest: a package that is missing."""

import importlib
from types import ModuleType


class UserError(ValueError):
    """A mistake in the user's input: the message says what is wrong, where, and how to mend it.

    The command line prints the message alone and exits with code 2; any other exception is ours
    and keeps its traceback.
    """


def import_extra(module: str, extra: str, asked_by: str) -> ModuleType:
    """A module of an optional package; UserError that says what to install where it is missing."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UserError(
            f"{asked_by} needs the package {module.split('.')[0]}; install it with "
            f"pip install 'mtgan[{extra}]'."
        ) from error
