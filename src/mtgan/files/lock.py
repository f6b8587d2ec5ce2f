"""Keeping other processes out of a folder."""

from pathlib import Path
from typing import TYPE_CHECKING

from mtgan.errors import UserError
from mtgan.files.errors import write_error

if TYPE_CHECKING:
    from filelock import FileLock


def hold(folder: Path, doing: str, timeout_seconds: float = 0) -> "FileLock":
    """Keep other processes out of a folder, whose files two would overwrite, until released.

    timeout_seconds: how long another process is waited for; -1 for as long as it takes.
    Raises UserError, "Another process is <doing> <folder>", where one holds it then.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / ".lock", timeout=timeout_seconds)
    try:
        lock.acquire()
    except Timeout:
        raise UserError(f"Another process is {doing} {folder}; wait for it or stop it.") from None
    except NotImplementedError:
        pass  # the file system knows no locks: better unguarded than not at all
    except OSError as error:
        raise write_error(folder, error) from error
    return lock
