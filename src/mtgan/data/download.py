"""Finding a data set's official files, or downloading them: resumable, and checked."""

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mtgan.data.progress import progress
from mtgan.errors import UserError
from mtgan.files import cache_folder, flush, hold, writing

_CHUNK = 1 << 18
# Several times the largest of the official files.
_LARGEST_BYTES = 1 << 30
# How long another process that downloads the same files is waited for.
_PATIENCE_SECONDS = 3600.0


def fetch(
    name: str,
    files: Mapping[str, tuple[str, str]],
    places: Sequence[Path],
    download: bool = True,
) -> Path:
    """The folder that holds all of `files`: one of `places`, the cache, or the cache after a
    download.

    files: file name -> (address, MD5 as hex). Files in the cache are checked when they arrive;
    those in `places` are the user's own, and are checked when they are read.
    Raises UserError where they are nowhere and cannot be downloaded.
    """
    cache = cache_folder() / "datasets" / name
    for folder in (*places, cache):
        if all((folder / file).is_file() for file in files):
            return folder
    if not download:
        raise UserError(_advice(name, files, places, cache, "downloads are switched off"))
    with writing(cache):
        cache.mkdir(parents=True, exist_ok=True)
    # Another process may be at it: then its files are there when it is done.
    lock = hold(cache, "downloading into", _PATIENCE_SECONDS)
    try:
        for file, (address, md5) in files.items():
            if not (cache / file).is_file():
                try:
                    download_file(address, cache / file, md5)
                except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
                    why = str(getattr(error, "reason", error)).strip() or type(error).__name__
                    raise UserError(_advice(name, files, places, cache, why)) from error
    finally:
        lock.release()
    return cache


def _advice(
    name: str, files: Mapping[str, object], places: Sequence[Path], cache: Path, reason: str
) -> str:
    looked = ", ".join(str(folder) for folder in (*places, cache))
    address = next(iter(files.values()))[0]  # type: ignore[index]
    return (
        f"The files of {name} ({', '.join(files)}) are in none of {looked}, and could not be "
        f"downloaded from {address} ({reason}); put them into {cache}, or name their folder "
        "with --root."
    )


def download_file(address: str, target: Path, md5: str) -> None:
    """Download to target.part, going on where an earlier attempt stopped; check; rename.

    Raises UserError where the checksum is another (the file is removed) or it cannot be written,
    OSError of the network otherwise (what has arrived stays, for the next attempt).
    """
    part = target.with_name(target.name + ".part")
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(address)
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            _append(answer, part, have)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # 416: nothing beyond what is here already
            raise
    with writing(target):
        with part.open("rb") as file:
            digest = hashlib.file_digest(file, _md5).hexdigest()
        if digest == md5:
            flush(part)
            os.replace(part, target)
            return
        part.unlink()
    raise UserError(
        f"{address} gave a file with MD5 {digest}, and it should be {md5}; it was removed. "
        "Try again, or fetch the file from elsewhere."
    )


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)


def _append(answer: http.client.HTTPResponse, part: Path, have: int) -> None:
    """Write an answer to the end of what is here, or over it where it is the whole file."""
    if answer.status != 206:
        have = 0
    length = int(answer.headers.get("Content-Length") or 0)
    expected = have + length
    with writing(part):
        file = part.open("ab" if have else "wb")
    with file, progress(part.stem, expected or None, in_bytes=True) as advance:
        while chunk := answer.read(_CHUNK):
            have += len(chunk)
            if have > _LARGEST_BYTES:
                part.unlink(missing_ok=True)
                raise UserError(
                    f"The server sends more than {_LARGEST_BYTES:,} bytes for {part.stem}, which "
                    "no official file has; they were removed. Try again, or fetch the file from "
                    "elsewhere."
                )
            with writing(part):
                file.write(chunk)
                file.flush()
            advance(len(chunk))
    if length and have < expected:
        raise OSError(f"the connection broke off after {have} bytes")
