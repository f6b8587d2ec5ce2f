"""Runs `mtgan` commands in forks of one process, with a fault at one of their file operations.

Started with the shim preloaded; reads one request (JSON) a line, answers one a line. Everything
that takes seconds to import is imported once, before the forks.
"""

import contextlib
import ctypes
import importlib
import json
import os
import sys
import traceback
from typing import Any

_SLOW_TO_IMPORT = (
    *("mtgan.cli", "mtgan.training", "mtgan.evaluation", "mtgan.analysis", "mtgan.reports"),
    *("mtgan.studies", "mtgan.classification", "torch.utils.tensorboard", "matplotlib.figure"),
    *("sklearn.datasets", "rich.progress", "pandas", "statsmodels.stats.multitest"),
)


def run(request: dict[str, Any], report: int) -> None:
    """In a fork: the command, its output to request["output"], its number of operations to
    `report`."""
    from mtgan.cli import main

    shim = ctypes.CDLL(None)
    os.chdir(request["folder"])
    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    shim.fault_set(request["below"].encode(), request["at"], request["mode"], request["errno"])
    code = 0
    try:
        main(request["arguments"])
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    except BaseException:
        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os.write(report, str(shim.fault_count()).encode())
    os._exit(code)


def serve() -> None:
    for module in _SLOW_TO_IMPORT:
        importlib.import_module(module)
    for line in sys.stdin:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            run(json.loads(line), write)
        os.close(write)
        count = os.read(read, 100).decode()
        os.close(read)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        print(json.dumps({"code": code, "operations": int(count or 0)}), flush=True)


serve()
