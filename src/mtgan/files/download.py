"""Downloading a file: resumable, checked, by one process at a time."""

import hashlib
import http.client
import urllib.error
import urllib.request
from pathlib import Path

from mtgan.errors import UserError
from mtgan.files.errors import writing
from mtgan.files.lock import hold
from mtgan.files.write import put
from mtgan.progress import progress

_CHUNK = 1 << 18
# Several times the largest of the files that are downloaded.
_LARGEST_BYTES = 1 << 30
# How long another process that downloads into the same folder is waited for.
_PATIENCE_SECONDS = 3600.0


def download_file(address: str, target: Path, checksum: str) -> None:
    """Download a file, going on where an earlier attempt stopped, check it, and put it in place.

    What arrives is kept in target.part until it is whole; a file that another process has
    downloaded meanwhile is taken as it is.

    checksum: "md5:" or "sha256:" and the digest as hex.

    Raises:
        ConnectionError: The network, or the server, failed; says why. What has arrived stays for
            the next attempt.
        UserError: The checksum is another (what arrived is removed), or nothing can be written.
    """
    part = target.with_name(target.name + ".part")
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    lock = hold(target.parent, "downloading into", _PATIENCE_SECONDS)
    try:
        if target.is_file() and file_checksum(target, checksum) == checksum:
            return
        try:
            _fetch(address, part)
        except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
            why = str(getattr(error, "reason", error)).strip() or type(error).__name__
            raise ConnectionError(why) from error
        with writing(target):
            found = file_checksum(part, checksum)
            if found == checksum:
                put(part, target)
                return
            part.unlink()
    finally:
        lock.release()
    raise UserError(
        f"{address} gave a file with the checksum {found}, and it should be {checksum}; it was "
        "removed. Try again, or fetch the file from elsewhere."
    )


def file_checksum(path: Path, like: str) -> str:
    """The checksum of a file, "md5:..." or "sha256:..." as that of `like`."""
    kind = like.partition(":")[0]
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False))
    return f"{kind}:{digest.hexdigest()}"


def _fetch(address: str, part: Path) -> None:
    """Bring what `part` does not hold yet."""
    with writing(part):
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
