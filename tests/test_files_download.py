"""Downloads, from a server on this machine: resumed, checked, broken off."""

import hashlib
from pathlib import Path

import pytest

from mtgan.errors import UserError
from mtgan.files import download
from mtgan.files.download import download_file
from served import CONTENT, Server

CHECKSUM = f"md5:{hashlib.md5(CONTENT).hexdigest()}"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock"}


def test_download(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.bin"
    download_file(server.address + "a.bin", target, CHECKSUM)
    assert target.read_bytes() == CONTENT
    assert names(target.parent) == {"a.bin"}
    assert server.asked == [None]


@pytest.mark.parametrize("ranges", [True, False], ids=["range", "no range"])
def test_resume(server: Server, tmp_path: Path, ranges: bool) -> None:
    server.ranges = ranges
    (tmp_path / "a.bin.part").write_bytes(CONTENT[:30_000])
    download_file(server.address, tmp_path / "a.bin", CHECKSUM)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert server.asked == ["bytes=30000-"]


def test_a_complete_part_needs_no_more(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.bin.part").write_bytes(CONTENT)
    download_file(server.address, tmp_path / "a.bin", CHECKSUM)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("part", [b"", b"x" * 500, b"x" * 200_000])
def test_wrong_checksum_is_refused_and_removed(server: Server, tmp_path: Path, part) -> None:
    if part:
        (tmp_path / "a.bin.part").write_bytes(part)
    server.content = b"other" + CONTENT
    with pytest.raises(UserError, match=f"the checksum md5:[0-9a-f]+, .* be {CHECKSUM};"):
        download_file(server.address, tmp_path / "a.bin", CHECKSUM)
    assert names(tmp_path) == set()


def test_more_than_any_file_should_hold(server: Server, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(download, "_LARGEST_BYTES", 50_000)
    with pytest.raises(UserError, match=r"sends more than 50,000 bytes for a\.bin, which no off"):
        download_file(server.address, tmp_path / "a.bin", CHECKSUM)
    assert names(tmp_path) == set()


def test_a_part_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.bin.part").mkdir()
    with pytest.raises(UserError, match=r"a\.bin\.part could not be written: it is a folder; name"):
        download_file(server.address, tmp_path / "a.bin", CHECKSUM)


def test_a_damaged_file_is_replaced_by_a_whole_one_alone(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"damaged")
    server.content = CONTENT[:-7]
    with pytest.raises(UserError, match="checksum"):
        download_file(server.address, target, CHECKSUM)
    assert target.read_bytes() == b"damaged"
    server.content = CONTENT
    for _ in range(2):  # the second finds it whole
        download_file(server.address, target, CHECKSUM)
        assert target.read_bytes() == CONTENT
    assert server.asked == [None, None]


def test_other_checksums(server: Server, tmp_path: Path) -> None:
    checksum = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    download_file(server.address, tmp_path / "a.bin", checksum)
    assert names(tmp_path) == {"a.bin"}


def test_a_server_that_fails_is_a_connection_error(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match="Not Found"):
        download_file(server.address + "missing", tmp_path / "a.bin", CHECKSUM)
    server.garbage = True
    with pytest.raises(ConnectionError, match="garbage"):
        download_file(server.address, tmp_path / "a.bin", CHECKSUM)
