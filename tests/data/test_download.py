"""A data set's official files: found, or downloaded, or how to come by them."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mtgan.data import load_dataset
from mtgan.data.download import fetch
from mtgan.data.sources import cifar
from mtgan.errors import UserError
from served import CONTENT, Server

CHECKSUM = f"md5:{hashlib.md5(CONTENT).hexdigest()}"


def test_broken_connection_keeps_the_part_and_the_next_goes_on(server: Server, cache: Path) -> None:
    files = {"a.bin": (server.address + "a.bin", CHECKSUM)}
    folder = cache / "datasets" / "set"
    server.stop_after = 40_000
    with pytest.raises(UserError, match="the connection broke off after 40000 bytes"):
        fetch("set", files, [])
    assert (folder / "a.bin.part").read_bytes() == CONTENT[:40_000]
    assert not (folder / "a.bin").exists()
    server.stop_after = None
    assert fetch("set", files, []) == folder
    assert (folder / "a.bin").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=40000-"]


def test_what_is_there_is_not_fetched(server: Server, tmp_path: Path, cache: Path) -> None:
    files = {"a.bin": (server.address, CHECKSUM)}
    (tmp_path / "a.bin").write_bytes(b"the user's own")
    assert fetch("set", files, [tmp_path / "nowhere", tmp_path]) == tmp_path
    fetch("set", files, [])
    fetch("set", files, [])
    assert len(server.asked) == 1


def test_one_of_two_files_is_fetched(server: Server, cache: Path) -> None:
    folder = cache / "datasets" / "set"
    folder.mkdir(parents=True)
    (folder / "a").write_bytes(b"here")
    fetch("set", {name: (server.address + name, CHECKSUM) for name in "ab"}, [])
    assert (folder / "a").read_bytes() == b"here"
    assert len(server.asked) == 1


def assert_advice(caught: pytest.ExceptionInfo, address: str, cache: Path, root: Path) -> None:
    sentence = str(caught.value)
    assert f"could not be downloaded from {address} (" in sentence
    assert f"are in none of {root}, {cache / 'datasets' / 'set'}, and" in sentence
    assert f"put them into {cache / 'datasets' / 'set'}, or name their folder with --r" in sentence


def test_two_at_once_share_one_download(server: Server, cache: Path) -> None:
    """The second waits for the first, and finds what it fetched."""
    files = {name: (server.address + name, CHECKSUM) for name in ("a.bin", "b.bin")}
    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(lambda _: fetch("set", files, []), range(4)))
    assert set(folders) == {cache / "datasets" / "set"}
    assert all((folders[0] / name).read_bytes() == CONTENT for name in files)
    assert server.asked == [None, None]


def test_offline(cache: Path, tmp_path: Path) -> None:
    with Server() as closed:
        address = closed.address + "a.bin"
    with pytest.raises(UserError, match="Connection refused") as caught:
        fetch("set", {"a.bin": (address, CHECKSUM)}, [tmp_path])
    assert_advice(caught, address, cache, tmp_path)


def test_missing_on_the_server(server: Server, cache: Path, tmp_path: Path) -> None:
    address = server.address + "missing"
    with pytest.raises(UserError, match="Not Found") as caught:
        fetch("set", {"a.bin": (address, CHECKSUM)}, [tmp_path])
    assert_advice(caught, address, cache, tmp_path)


def test_an_answer_that_is_not_http(server: Server, cache: Path, tmp_path: Path) -> None:
    server.garbage = True
    with pytest.raises(UserError) as caught:
        fetch("set", {"a.bin": (server.address, CHECKSUM)}, [tmp_path])
    assert_advice(caught, server.address, cache, tmp_path)


def test_downloads_switched_off(server: Server, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="downloads are switched off") as caught:
        fetch("set", {"a.bin": (server.address, CHECKSUM)}, [tmp_path], download=False)
    assert_advice(caught, server.address, cache, tmp_path)
    assert server.asked == []


def test_cache_that_cannot_be_made(server: Server, cache: Path, tmp_path: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"cache.* could not be written: .*; name another place"):
        fetch("set", {"a.bin": (server.address, CHECKSUM)}, [tmp_path])


def test_a_named_set_is_fetched_and_checked(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar, "_ADDRESS", server.address)
    with pytest.raises(UserError, match="it should be md5:c58f30108f718f92721af3b95e74349a"):
        load_dataset("cifar10")
    assert not list((cache / "datasets" / "cifar10").glob("cifar*"))
