"""The one error type for what a user can mend, and the commonest: a package that is missing."""

import importlib
import signal
from types import ModuleType


class UserError(ValueError):
    """A mistake in the user's input: the message says what is wrong, where, and how to mend it.

    The command line prints the message alone and exits with code 2; any other exception is ours
    and keeps its traceback.
    """

    exit_code = 2


class Interrupted(UserError):
    """Work was stopped by a signal, and its state saved; the message says how to go on.

    exit_code: 128 + the signal's number, as shells have it.
    """

    def __init__(self, message: str, number: int = signal.SIGINT) -> None:
        super().__init__(message)
        self.exit_code = 128 + number


class Terminated(KeyboardInterrupt):
    """SIGTERM came: what is begun is left as on Ctrl-C, and not in the middle of a file."""


def import_extra(module: str, extra: str, asked_by: str) -> ModuleType:
    """A module of an optional package; UserError that says what to install where it is missing."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UserError(
            f"{asked_by} needs the package {module.split('.')[0]}; install it with "
            f"pip install 'mtgan[{extra}]'."
        ) from error
