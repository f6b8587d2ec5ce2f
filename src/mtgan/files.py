"""Files: the one place for strict YAML and JSON, the cache, atomic writes, new folders and locks.

What is written is written beside its target and renamed, so that a kill or a full disk at any
instant leaves either the older file or the new one, whole. What goes wrong with a file is a
UserError with the path, the reason and the remedy.
"""

import codecs
import contextlib
import errno
import json
import os
import re
import shutil
import stat
import time
import uuid
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mtgan.errors import UserError

if TYPE_CHECKING:
    from filelock import FileLock

_PARTIAL = ".partial-"
_ABANDONED_SECONDS = 3600.0
# Of a folder with more files than this, all are brought to the disk at once: one by one, ten
# thousand small pictures take most of a minute.
_MANY = 64
# Beyond these a text file of settings is not one: 64 MiB, and as many values in all.
_LARGEST_TEXT = 64 << 20
_LARGEST_YAML = 1_000_000

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


# What went wrong


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


# Writing


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
            flush(temporary)
            os.replace(temporary, path)
            flush(path.parent)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


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


# Reading


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
    (as spreadsheets write); every end of a line is "\\n".

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


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"it names {twice!r} twice")
    return values


def read_yaml(path: str | Path, what: str = "The file", strings: bool = False) -> Any:
    """The value of a YAML file; see parse_yaml."""
    return parse_yaml(read_text(path, what), f"{what} {path}", strings)


def parse_yaml(text: str, what: str, strings: bool = False) -> Any:
    """The value of a YAML text, read strictly.

    A key that stands twice is an error and not overwritten. Of YAML 1.2's core schema: only true
    and false are truth values, so that a class may be called yes or no; numbers with leading
    zeros, dates and 1:30 are text; 1e-4 is a number. strings: every scalar is text as it stands
    (names of classes). Raises UserError that begins with `what`.
    """
    try:
        loader = (_TextLoader if strings else _Loader)(text)
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}) > _LARGEST_YAML:
            raise yaml.YAMLError("its references unfold to over a million values")
        return loader.construct_document(node)
    except RecursionError as error:
        raise UserError(f"{what} is not valid YAML: it is nested too deeply.") from error
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"{what} is not valid YAML: {error}") from error


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Values below a node, each reference counted as what it refers to."""
    if id(node) in known:
        if known[id(node)] < 0:
            raise yaml.YAMLError("a reference leads back into itself")
        return known[id(node)]
    known[id(node)] = -1
    size = 1
    if isinstance(node, yaml.SequenceNode):
        size += sum(_size(item, known) for item in node.value)
    elif isinstance(node, yaml.MappingNode):
        size += sum(_size(key, known) + _size(value, known) for key, value in node.value)
    known[id(node)] = size
    return size


class _StrictLoader(yaml.SafeLoader):
    """YAML's safe loader, but a key that stands twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.YAMLError(f"a key should be one value, found {key!r}")
            if key in seen:
                raise yaml.YAMLError(
                    f"it names {key!r} twice (line {key_node.start_mark.line + 1})"
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


class _TextLoader(_StrictLoader):
    """Every scalar is text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


class _Loader(_StrictLoader):
    """YAML 1.2's core schema, decimal numbers alone."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


class _Dumper(yaml.SafeDumper):
    """Quotes text that either version of YAML would read as something else."""


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?((\.[0-9]+|(0|[1-9][0-9]*)\.[0-9]*)([eE][-+]?[0-9]+)?|(0|[1-9][0-9]*)[eE][-+]?[0-9]+"
        r"|\.(inf|Inf|INF))|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(
            f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
        )


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Unquoted, line ends of other alphabets would be read as blanks.
    style = '"' if any(mark in text for mark in "\x85\u2028\u2029\ufeff") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _represent_text)


def dump_yaml(values: Mapping[str, Any]) -> str:
    """Values as YAML that parse_yaml reads as the same values, in this order of keys."""
    return yaml.dump(dict(values), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


# The cache, and locks


def cache_folder() -> Path:
    """Where downloads and derived files are kept: $MTGAN_CACHE, else the user's cache folder."""
    from platformdirs import user_cache_path

    given = os.environ.get("MTGAN_CACHE")
    return Path(given) if given else user_cache_path("mtgan", appauthor=False)


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
