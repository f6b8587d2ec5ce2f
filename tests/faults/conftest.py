"""A process in which file operations fail or kill on demand."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults_server import Server
from needed import need

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    compiler = shutil.which("cc")
    need(compiler and sys.platform.startswith("linux"), "Linux, and a C compiler, to inject faults")
    folder = tmp_path_factory.mktemp("faults")
    library = folder / "shim.so"
    command = [compiler, "-shared", "-fPIC", "-O1", HERE / "shim.c", "-o", library, "-ldl"]
    subprocess.run(command, check=True)
    running = Server(library, folder / "cache")
    yield running
    running.close()
