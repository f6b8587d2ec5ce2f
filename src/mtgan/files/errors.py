"""What goes wrong with a file, as one sentence: the path, the reason and the remedy."""

import contextlib
import errno
import re
from collections.abc import Iterator
from pathlib import Path

from mtgan.errors import UserError

_REASONS = {
    errno.ENOSPC: "there is no space left on the device",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission is denied",
    errno.EPERM: "permission is denied",
    errno.EIO: "the disk reports an error",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ENOTDIR: "a part of the path is a file, and not a folder",
    errno.EISDIR: "it is a folder",
    errno.EEXIST: "a file is where a folder should be",
    errno.ELOOP: "its links lead in a circle",
}
ENVIRONMENT = frozenset(_REASONS)
"""Errors that are the machine's, and not a fault of the program."""

_REMEDIES = {
    errno.ENOSPC: "make room, then try again",
    errno.EDQUOT: "make room, then try again",
    errno.EIO: "check the disk, then try again",
}


def reason(error: BaseException) -> str:
    """Why a file operation failed, as part of a sentence."""
    number = error_number(error)
    if number in _REASONS:
        return _REASONS[number]
    text = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    return text[:1].lower() + text[1:]


def error_number(error: BaseException) -> int | None:
    """The errno of an error of a file operation; also of libraries that put it into their words."""
    if isinstance(getattr(error, "errno", None), int):
        return error.errno  # type: ignore[attr-defined]
    found = re.search(r"\(os error (\d+)\)", str(error))  # Rust's, as of safetensors
    return int(found[1]) if found else None


def write_error(path: str | Path, error: BaseException, remedy: str = "") -> UserError:
    """The UserError of a file or folder that could not be written."""
    number = error_number(error)
    default = "name another place, or mend that one"
    advice = remedy or _REMEDIES.get(number or 0, default)
    why = "its folder is not there (any more)" if number == errno.ENOENT else reason(error)
    return UserError(f"{path} could not be written: {why}; {advice}.")


@contextlib.contextmanager
def writing(path: Path, remedy: str = "") -> Iterator[None]:
    """Turns what the operating system says of writing below `path` into a UserError."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if isinstance(error, OSError) or error_number(error) is not None:
            raise write_error(path, error, remedy) from error
        raise
