"""Reading regular files of text and JSON."""

import codecs
import hashlib
import json
import stat
from collections import Counter
from pathlib import Path
from typing import Any

from mtgan.errors import UserError
from mtgan.files.errors import reason

_LARGEST_TEXT = 64 << 20  # beyond it a text file of settings is not one: 64 MiB


def require_file(path: Path, what: str = "the file") -> None:
    """UserError where `path` is no regular file (a named pipe would be waited for without end)."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError)
        why = "it does not exist" if missing else reason(error)
        raise UserError(f"{what} {path} cannot be read: {why}.") from error
    if not stat.S_ISREG(mode):
        found = "a folder" if stat.S_ISDIR(mode) else "no regular file (a pipe, socket or device)"
        raise UserError(f"{what} {path} cannot be read: it is {found}.")


def read_text(path: str | Path, what: str = "The file", limit: int = _LARGEST_TEXT) -> str:
    """The text of a UTF-8 file, with or without a byte order mark, or of a UTF-16 file with one
    (as spreadsheets write); every end of a line is a line feed.

    what: begins the sentence of the UserError that is raised where the file is missing, no regular
    file, larger than `limit` bytes, or not UTF-8.
    """
    path = Path(path)
    require_file(path, what)
    try:
        size = path.stat().st_size
        if size > limit:
            raise UserError(f"{what} {path} is too large: {size:,} bytes, at most {limit:,}.")
        content = path.read_bytes()
        wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = content.decode("utf-16" if wide else "utf-8-sig")
        return text.replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UserError(
            f"{what} {path} is not in UTF-8 (line {line}, byte {error.start}); save it so."
        ) from error
    except OSError as error:
        raise UserError(f"{what} {path} cannot be read: {reason(error)}.") from error


def read_json(path: str | Path, what: str = "The file") -> Any:
    """The value of a JSON file; UserError that names the file where it holds none, or one key
    twice."""
    text = read_text(path, what)
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{what} {path} is not valid JSON: {error}.") from error


def digest(path: Path, what: str = "The file") -> str:
    """SHA-256 of a file, as hex; UserError, which `what` begins, where it cannot be read."""
    require_file(path, what)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{what} {path} cannot be read: {reason(error)}.") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"it names {twice!r} twice")
    return values
