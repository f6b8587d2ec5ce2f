"""Downloads, from a server on this machine: resumed, checked, broken off, offline."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from mtgan.data import download, load_dataset
from mtgan.data.download import download_file, fetch
from mtgan.data.sources import cifar
from mtgan.errors import UserError

CONTENT = np.random.default_rng(0).bytes(100_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `content` under every path but /missing."""

    content = CONTENT
    ranges = True  # whether Range is honored
    stop_after: int | None = None  # bytes after which a connection breaks off
    garbage = False  # whether answers are not even HTTP

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []  # the Range header of each request

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        wanted = self.headers.get("Range")
        server.asked.append(wanted)
        if server.garbage:
            self.wfile.write(b"garbage\r\n\r\n")
            return
        if self.path == "/missing":
            self.send_error(404)
            return
        first = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and server.ranges else 0
        if first and first >= len(server.content):
            self.send_error(416)
            return
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(server.content) - first))
        self.end_headers()
        self.wfile.write(server.content[first:][: server.stop_after])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_download(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.bin"
    download_file(server.address + "a.bin", target, MD5)
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["a.bin"]
    assert server.asked == [None]


@pytest.mark.parametrize("ranges", [True, False], ids=["range", "no range"])
def test_resume(server: Server, tmp_path: Path, ranges: bool) -> None:
    server.ranges = ranges
    (tmp_path / "a.bin.part").write_bytes(CONTENT[:30_000])
    download_file(server.address, tmp_path / "a.bin", MD5)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert server.asked == ["bytes=30000-"]


def test_a_complete_part_needs_no_more(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.bin.part").write_bytes(CONTENT)
    download_file(server.address, tmp_path / "a.bin", MD5)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("part", [b"", b"x" * 500, b"x" * 200_000])
def test_wrong_checksum_is_refused_and_removed(server: Server, tmp_path: Path, part) -> None:
    if part:
        (tmp_path / "a.bin.part").write_bytes(part)
    server.content = b"other" + CONTENT
    with pytest.raises(UserError, match=f"gave a file with MD5 [0-9a-f]+, and it should be {MD5}"):
        download_file(server.address, tmp_path / "a.bin", MD5)
    assert list(tmp_path.iterdir()) == []


def test_broken_connection_keeps_the_part_and_the_next_goes_on(server: Server, cache: Path) -> None:
    files = {"a.bin": (server.address + "a.bin", MD5)}
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
    files = {"a.bin": (server.address, MD5)}
    (tmp_path / "a.bin").write_bytes(b"the user's own")
    assert fetch("set", files, [tmp_path / "nowhere", tmp_path]) == tmp_path
    fetch("set", files, [])
    fetch("set", files, [])
    assert len(server.asked) == 1


def test_one_of_two_files_is_fetched(server: Server, cache: Path) -> None:
    folder = cache / "datasets" / "set"
    folder.mkdir(parents=True)
    (folder / "a").write_bytes(b"here")
    fetch("set", {name: (server.address + name, MD5) for name in "ab"}, [])
    assert (folder / "a").read_bytes() == b"here"
    assert len(server.asked) == 1


def assert_advice(caught: pytest.ExceptionInfo, address: str, cache: Path, root: Path) -> None:
    sentence = str(caught.value)
    assert f"could not be downloaded from {address} (" in sentence
    assert f"are in none of {root}, {cache / 'datasets' / 'set'}, and" in sentence
    assert f"put them into {cache / 'datasets' / 'set'}, or name their folder with --r" in sentence


def test_two_at_once_share_one_download(server: Server, cache: Path) -> None:
    """The second waits for the first, and finds what it fetched."""
    files = {name: (server.address + name, MD5) for name in ("a.bin", "b.bin")}
    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(lambda _: fetch("set", files, []), range(4)))
    assert set(folders) == {cache / "datasets" / "set"}
    assert all((folders[0] / name).read_bytes() == CONTENT for name in files)
    assert server.asked == [None, None]


def test_more_than_any_file_should_hold(server: Server, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(download, "_LARGEST_BYTES", 50_000)
    with pytest.raises(UserError, match=r"sends more than 50,000 bytes for a\.bin, which no off"):
        download_file(server.address, tmp_path / "a.bin", MD5)
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.bin.part").mkdir()
    with pytest.raises(UserError, match=r"a\.bin\.part could not be written: it is a folder; name"):
        download_file(server.address, tmp_path / "a.bin", MD5)


def test_offline(cache: Path, tmp_path: Path) -> None:
    with Server() as closed:
        address = closed.address + "a.bin"
    with pytest.raises(UserError, match="Connection refused") as caught:
        fetch("set", {"a.bin": (address, MD5)}, [tmp_path])
    assert_advice(caught, address, cache, tmp_path)


def test_missing_on_the_server(server: Server, cache: Path, tmp_path: Path) -> None:
    address = server.address + "missing"
    with pytest.raises(UserError, match="Not Found") as caught:
        fetch("set", {"a.bin": (address, MD5)}, [tmp_path])
    assert_advice(caught, address, cache, tmp_path)


def test_an_answer_that_is_not_http(server: Server, cache: Path, tmp_path: Path) -> None:
    server.garbage = True
    with pytest.raises(UserError) as caught:
        fetch("set", {"a.bin": (server.address, MD5)}, [tmp_path])
    assert_advice(caught, server.address, cache, tmp_path)


def test_downloads_switched_off(server: Server, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="downloads are switched off") as caught:
        fetch("set", {"a.bin": (server.address, MD5)}, [tmp_path], download=False)
    assert_advice(caught, server.address, cache, tmp_path)
    assert server.asked == []


def test_cache_that_cannot_be_made(server: Server, cache: Path, tmp_path: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"cache.* could not be written: .*; name another place"):
        fetch("set", {"a.bin": (server.address, MD5)}, [tmp_path])


def test_a_named_set_is_fetched_and_checked(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar, "_ADDRESS", server.address)
    with pytest.raises(UserError, match="it should be c58f30108f718f92721af3b95e74349a"):
        load_dataset("cifar10")
    assert not list((cache / "datasets" / "cifar10").glob("cifar*"))
