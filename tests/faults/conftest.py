"""A process in which file operations fail or kill on demand."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


class Server:
    """Runs commands in forks of one process; see server.py."""

    def __init__(self, library: Path, cache: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, HERE / "server.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "LD_PRELOAD": str(library),
                "OMP_NUM_THREADS": "1",
                "MTGAN_CACHE": str(cache),
                "PYTHONHASHSEED": "0",
            },
        )

    def run(
        self,
        folder: Path,
        arguments: tuple[str, ...],
        at: int = -1,
        mode: int = 0,
        errno: int = 0,
        below: Path | None = None,
    ) -> tuple[int, int, str]:
        """(exit code, or minus the signal; file operations; output) of a command run in a folder;
        the faults concern what lies `below`, by default that folder."""
        output = folder.parent / f"{folder.name}.out"
        request: dict[str, Any] = {
            "folder": str(folder),
            "arguments": arguments,
            "below": f"{below or folder}/",
            "output": str(output),
            "at": at,
            "mode": mode,
            "errno": errno,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return answer["code"], answer["operations"], output.read_text(errors="replace")

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("faults are injected on Linux, by a C compiler's help")
    folder = tmp_path_factory.mktemp("faults")
    library = folder / "shim.so"
    command = [compiler, "-shared", "-fPIC", "-O1", HERE / "shim.c", "-o", library, "-ldl"]
    subprocess.run(command, check=True)
    running = Server(library, folder / "cache")
    yield running
    running.close()
