"""Writing files and folders whole or not at all.

What is written is written beside its target and renamed, so that a kill or a full disk at any
instant leaves either the older file or the new one, whole.
"""

import contextlib
import errno
import json
import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mtgan.errors import UserError
from mtgan.files.errors import writing

_PARTIAL = ".partial-"
_ABANDONED_SECONDS = 3600.0
# Of a folder with more files than this, all are brought to the disk at once: one by one, ten
# thousand small pictures take most of a minute.
_MANY = 64


@contextlib.contextmanager
def replacing(path: str | Path, remedy: str = "") -> Iterator[Path]:
    """A temporary path beside `path`, of the same ending, that becomes `path` when all went well.

    Until then an earlier file stays as it is. The folder is made where it is missing. UserError,
    which ends with the remedy, where anything cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f"{_PARTIAL}{uuid.uuid4().hex[:8]}-{path.name}")
    with writing(path, remedy):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, "it is a folder")
            if path.exists() and not path.is_file():  # which would be a file afterwards
                raise OSError(errno.EINVAL, "it is a pipe, socket or device")
            _remove_abandoned(path)
            yield temporary
            put(temporary, path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def put(written: Path, path: Path) -> None:
    """Make a file that lies beside `path` that file, in the place of an earlier one."""
    flush(written)
    os.replace(written, path)
    flush(path.parent)


def write_bytes(path: str | Path, content: bytes, remedy: str = "") -> None:
    """Write a file whole or not at all; see `replacing`."""
    with replacing(path, remedy) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | Path, text: str, remedy: str = "") -> None:
    """Write a UTF-8 file whole or not at all; see `replacing`."""
    write_bytes(path, text.encode(), remedy)


def write_json(path: str | Path, value: Any) -> None:
    """Write a value as JSON, whole or not at all; see `replacing`."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def append(path: str | Path, content: bytes, remedy: str = "") -> None:
    """Add to the end of a file (or begin it) in a folder that exists.

    UserError, which ends with the remedy, where that fails; a part may have been added then.
    """
    with writing(Path(path), remedy), open(path, "ab") as file:
        file.write(content)


@contextlib.contextmanager
def new_folder(path: str | Path, remedy: str = "") -> Iterator[Path]:
    """A temporary folder beside `path` that becomes `path` when all went well.

    So a folder holds all that belongs to its beginning or does not exist. `path` may be an empty
    folder. UserError, which ends with the remedy, where something is at `path` by then, or cannot
    be written.
    """
    path = Path(path)
    temporary = path.with_name(f"{_PARTIAL}{uuid.uuid4().hex[:8]}-{path.name}")
    with writing(path, remedy):
        try:
            _remove_abandoned(path)
            temporary.mkdir(parents=True)
            yield temporary
            files = sorted(temporary.rglob("*"), reverse=True)
            if len(files) > _MANY:
                os.sync()
            for file in [*files[:_MANY], temporary]:
                flush(file)
            try:
                os.rename(temporary, path)
            except OSError as error:
                if error.errno in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}:
                    raise UserError(
                        f"{path} exists already; name another, or remove it first."
                    ) from error
                raise
            flush(path.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new folder of the system's, for what is thrown away: it goes with all that is in it."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def flush(path: Path) -> None:
    """Bring a file or folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_abandoned(path: Path) -> None:
    """Remove what killed processes left of earlier attempts to write `path`."""
    for leftover in path.parent.glob(f"{_PARTIAL}????????-{_literal(path.name)}"):
        with contextlib.suppress(OSError):
            if time.time() - leftover.lstat().st_mtime < _ABANDONED_SECONDS:
                continue  # perhaps of a process that is at it
            if leftover.is_dir():
                shutil.rmtree(leftover)
            else:
                leftover.unlink()


def remove_partial(folder: Path, name: str | None = None) -> None:
    """Remove what killed processes left of attempts to write in a folder (only those to write
    `name`, where it is given); for callers that keep others out."""
    pattern = "*" if name is None else f"????????-{_literal(name)}"
    for leftover in folder.glob(f"{_PARTIAL}{pattern}"):
        remove(leftover)


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it; nothing where there is none, or where the
    system refuses."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _literal(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)
