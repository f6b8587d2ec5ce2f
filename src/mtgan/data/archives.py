"""Packed files (.tar.gz, .tgz), read in memory up to a limit; nothing of them is written."""

import gzip
import io
import tarfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path

from mtgan.errors import UserError


class _Limited(io.RawIOBase):
    """What a packed file holds, up to a limit in bytes."""

    def __init__(self, packed: gzip.GzipFile, limit: int) -> None:
        self.packed = packed
        self.left = limit

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > self.left:
            raise OverflowError("it holds more than any archive of its kind")
        content = self.packed.read(size)
        self.left -= len(content)
        return content


def read_archive(archive: Path, folders: Collection[str], limit: int) -> dict[str, bytes]:
    """The contents of the files in these folders of an archive, by their paths in it.

    Links and other members are left where they are: a name that is asked for and is none of a
    plain file is missing. limit: bytes of the whole archive, unpacked.
    Raises UserError where it is truncated, corrupt or larger.
    """
    members = {}
    try:
        with (
            gzip.open(archive) as packed,
            tarfile.open(fileobj=_Limited(packed, limit), mode="r|") as tar,
        ):
            for info in tar:
                place = info.name.rpartition("/")[0]
                # A sparse file would be as large as it claims.
                if place in folders and info.isreg() and not info.issparse():
                    file = tar.extractfile(info)
                    members[info.name] = file.read() if file else b""
    # OverflowError: the limit, or a member that claims to be of negative length
    except (tarfile.TarError, zlib.error, OSError, EOFError, ValueError, OverflowError) as error:
        raise UserError(f"{archive} is truncated or corrupt ({error}); fetch it anew.") from error
    return members


def member(archive: Path, members: Mapping[str, bytes], name: str) -> bytes:
    """The content of one of an archive's members; UserError where it is missing."""
    if name not in members:
        raise UserError(f"{archive} is truncated or corrupt: it has no file {name}; fetch it anew.")
    return members[name]
