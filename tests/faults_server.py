"""The other side of tests/faults/server.py."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_SCRIPT = Path(__file__).parent / "faults" / "server.py"


class Server:
    """Runs commands in forks of one process; see server.py."""

    def __init__(self, library: Path, cache: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, _SCRIPT],
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
