"""Finding a data set's official files, or downloading them: resumable, and checked."""

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from mtgan.data.progress import progress
from mtgan.errors import UserError
from mtgan.files import cache_folder

_CHUNK = 1 << 18


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
    for file, (address, md5) in files.items():
        if not (cache / file).is_file():
            try:
                download_file(address, cache / file, md5)
            except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
                reason = str(getattr(error, "reason", error)).strip() or type(error).__name__
                raise UserError(_advice(name, files, places, cache, reason)) from error
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

    Raises UserError where the checksum is another (the file is removed), OSError of the network
    otherwise (what has arrived stays, for the next attempt).
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(address)
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # 416: nothing beyond what is here already
            raise
        answer = None
    if answer is not None:
        with answer:
            resumed = answer.status == 206
            length = int(answer.headers.get("Content-Length") or 0)
            expected = (have if resumed else 0) + length
            with (
                part.open("ab" if resumed else "wb") as file,
                progress(target.name, expected or None, in_bytes=True) as advance,
            ):
                while chunk := answer.read(_CHUNK):
                    file.write(chunk)
                    advance(len(chunk))
        if length and part.stat().st_size < expected:
            raise OSError(f"the connection broke off after {part.stat().st_size} bytes")
    digest = hashlib.md5(part.read_bytes(), usedforsecurity=False).hexdigest()
    if digest != md5:
        part.unlink()
        raise UserError(
            f"{address} gave a file with MD5 {digest}, and it should be {md5}; it was removed. "
            "Try again, or fetch the file from elsewhere."
        )
    part.rename(target)
