"""Verbs that write over an older file, on a disk that fails at each of their file operations."""

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.test_commands import mtgan
from mtgan.training import train
from toys import make_data, small_recipe


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a run, a set of pictures, and what verbs wrote there before."""
    folder = tmp_path_factory.mktemp("faults")
    train(small_recipe("wgan-gp", training__steps=1), make_data(), folder / "run", quiet=True)
    np.savez(folder / "set.npz", images=np.zeros((20, 8, 8), np.uint8))
    (folder / "s.smi").write_text("CCO\nCC\n")
    for arguments, _ in VERBS.values():
        result = mtgan(*arguments, cwd=folder)
        assert result.returncode == 0, result.stderr
    return folder


def is_page(path: Path) -> bool:
    return path.read_text().rstrip().endswith("</html>")


def is_picture(path: Path) -> bool:
    Image.open(path).load()
    return True


def is_json(path: Path) -> bool:
    return path.read_text().rstrip().endswith("}")


VERBS: dict[str, tuple[tuple[str, ...], dict[str, Callable[[Path], bool]]]] = {
    "report": (("report", "run"), {"run/report.html": is_page}),
    "analyze": (
        ("analyze", "losses", "run"),
        {"run/analysis/losses.png": is_picture, "run/analysis/losses.json": is_json},
    ),
    "info": (
        ("data", "info", "set.npz", "--picture", "p.png", "--force", "--json"),
        {"p.png": is_picture},
    ),
    "strings": (
        ("strings", "s.smi", "--data", "nci-smiles,count=16", "--json", "s.json", "--force"),
        {"s.json": is_json},
    ),
}


class Disk:
    """Fails from the n-th operation that writes below a folder on; counts them all."""

    def __init__(self, folder: Path, at: int, number: int, patch: pytest.MonkeyPatch) -> None:
        self.count, self.folder, self.at, self.number = 0, str(folder), at, number
        for module, name in ((os, "replace"), (os, "mkdir"), (os, "fsync"), (io, "open")):
            patch.setattr(module, name, self._watched(getattr(module, name), name))

    def _watched(self, call: Callable, name: str) -> Callable:
        def watched(target, *arguments, **options):
            writes = name != "open" or "r" not in (*arguments, "r")[0]
            if writes and self._is_below(target):
                self.count += 1
                if 0 < self.at <= self.count:
                    raise OSError(self.number, os.strerror(self.number), str(target))
            return call(target, *arguments, **options)

        return watched

    def _is_below(self, target: object) -> bool:
        if isinstance(target, int):
            target = os.readlink(f"/proc/self/fd/{target}")
        return os.path.realpath(str(target)).startswith(self.folder)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs names of open files")
@pytest.mark.parametrize("verb", VERBS)
def test_the_older_file_stays_or_the_new_one_is_whole(verb: str, place: Path) -> None:
    arguments, files = VERBS[verb]
    at, failed = 1, 0
    while True:
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(place, at, (errno.ENOSPC, errno.EIO)[at % 2], patch)
            result = mtgan(*arguments, cwd=place)
        if disk.count < at:
            break
        lines = [line for line in result.stderr.splitlines() if "warning" not in line]
        assert (result.returncode, len(lines)) == (2, 1), (at, result.stderr)
        assert "could not be written" in lines[0]
        for name, is_whole in files.items():
            assert is_whole(place / name), (at, name)
        assert not list(place.rglob(".partial-*"))
        at, failed = at + 1, failed + 1
    assert result.returncode == 0
    assert failed >= 3
