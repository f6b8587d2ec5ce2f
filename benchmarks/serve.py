"""`mtgan serve` under load: how long a picture takes, how many there are in a second, and whether
its memory grows.

The server has a core of its own where there are two, and one thread; clients ask from another
core, each for the next thing when it has the last. Beside it, on the server's core and in turns
with it, a process calls `run.sample` directly. Seconds of the clock are those of whoever waits; CPU
seconds of the two processes compare them where other work is on the machine.
"""

import contextlib
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mtgan.errors import UserError

CLIENTS = 8
BATCH = 16
_WARM = 500  # requests, before which nothing is measured
_FORMS = ("png", "npz", "json")

DIRECT = f"""
import sys, time
import torch, mtgan
torch.set_num_threads(1)
run = mtgan.load(sys.argv[1])
run.sample({BATCH}, seed=0)
print("ready", flush=True)
for line in sys.stdin:
    count, began, cpu = int(line), time.perf_counter(), time.process_time()
    for seed in range(count):
        run.sample({BATCH}, seed=seed)
    print(time.perf_counter() - began, time.process_time() - cpu, flush=True)
"""


def measure(run: str, requests: int, rounds: int) -> dict[str, Any]:
    """Milliseconds of `requests` requests for a picture by 8 clients, pictures in a second at 16 in
    a request beside run.sample, and the resident memory of the server before and after them all.

    rounds: how often server and run.sample take turns. UserError where a server does not start.
    """
    ours, theirs = _cores()
    with _pinned(theirs), _server(run, ours) as (server, address), _direct(run, ours) as direct:
        _ask(address, _WARM, {"format": "png"})
        before = _memory(server.pid)
        waited = _ask(address, requests, {"format": "png"})
        after_pictures = _memory(server.pid)
        forms = {form: _throughput(server, address, direct, form, rounds) for form in _FORMS}
        return {
            "run": Path(run).name,
            "cores": len({ours, theirs}),
            "load": os.getloadavg()[0],
            "requests": requests,
            "milliseconds": _quantiles(waited),
            "pictures_per_second": forms,
            "memory": {"before": before, "after": after_pictures},
        }


def lines(result: Mapping[str, Any]) -> list[str]:
    """The result in words."""
    waited, memory = result["milliseconds"], result["memory"]
    found = [
        f"{result['run']}: {CLIENTS} clients, {result['requests']:,} pictures: p50 "
        f"{waited['p50']:.0f} ms, p99 {waited['p99']:.0f} ms, longest {waited['most']:.0f} ms",
        f"memory {memory['before']:.1f} MiB before and {memory['after']:.1f} MiB after them "
        f"({memory['after'] / memory['before'] - 1:+.1%})",
    ]
    for form, each in result["pictures_per_second"].items():
        found.append(
            f"{BATCH} in a request as {form}: {each['served']:,.0f} pictures/s, run.sample "
            f"{each['direct']:,.0f}/s, ratio {each['ratio']:.2f} (by CPU seconds "
            f"{each['cpu_ratio']:.2f})"
        )
    return found


def _throughput(
    server: "subprocess.Popen[str]",
    address: str,
    direct: Callable[[int], tuple[float, float]],
    form: str,
    rounds: int,
    count: int = 64,
) -> dict[str, float]:
    """Pictures in a second of the clock, and of the CPU, in turns with run.sample; medians."""
    served, called, ratios, cpu_ratios = [], [], [], []
    for _ in range(rounds):
        seconds, cpu = direct(count)
        began, used = time.perf_counter(), _cpu(server.pid)
        _ask(address, count, {"format": form, "n": BATCH})
        elapsed, used = time.perf_counter() - began, _cpu(server.pid) - used
        served.append(count * BATCH / elapsed)
        called.append(count * BATCH / seconds)
        ratios.append(seconds / elapsed)
        cpu_ratios.append(cpu / used)
    return {
        "served": statistics.median(served),
        "direct": statistics.median(called),
        "ratio": statistics.median(ratios),
        "cpu_ratio": statistics.median(cpu_ratios),
    }


def _quantiles(waited: list[float]) -> dict[str, float]:
    """Milliseconds of waits in seconds."""
    ordered = sorted(1000 * seconds for seconds in waited)
    return {
        "p50": ordered[len(ordered) // 2],
        "p99": ordered[int(0.99 * (len(ordered) - 1))],
        "most": ordered[-1],
    }


# Clients ------------------------------------------------------------------------------------------


def _ask(address: str, count: int, body: Mapping[str, Any]) -> list[float]:
    """The seconds that each of `count` requests took, which 8 clients make as fast as they can."""
    place, waited, faults = urlsplit(address), [], []

    def client(number: int) -> None:
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
        for seed in range(number, count, CLIENTS):
            text = json.dumps({**body, "seed": seed})
            began = time.perf_counter()
            connection.request("POST", "/samples", text, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
            waited.append(time.perf_counter() - began)
            if answer.status != 200:
                faults.append(content)
        connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults or len(waited) != count:
        raise UserError(f"{count - len(waited)} requests failed, and others: {faults[:1]}")
    return waited


# Processes ----------------------------------------------------------------------------------------


def _cores() -> tuple[int, int]:
    """The core of the server, and that of the clients; the same one where there is one."""
    found = sorted(os.sched_getaffinity(0))
    return found[0], found[-1]


@contextlib.contextmanager
def _pinned(core: int) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _started(command: list[str], core: int) -> "subprocess.Popen[str]":
    """A Python of its own, on one core and with one thread."""
    return subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # how they were stopped
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )


@contextlib.contextmanager
def _server(run: str, core: int) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A server of the run, and its address."""
    with _started(["-m", "mtgan", "serve", run, "--port", "0"], core) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            if found is None:
                raise UserError(f"mtgan serve {run} does not start; by itself it says why.")
            yield process, found[0]
        finally:
            process.terminate()


@contextlib.contextmanager
def _direct(run: str, core: int) -> Iterator[Callable[[int], tuple[float, float]]]:
    """What calls run.sample so often, and gives the seconds of the clock and of the CPU."""
    with _started(["-c", DIRECT, run], core) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout
        stdout.readline()

        def call(count: int) -> tuple[float, float]:
            print(count, file=stdin, flush=True)
            seconds, cpu = map(float, stdout.readline().split())
            return seconds, cpu

        yield call
        stdin.close()


def _memory(process: int) -> float:
    """MiB that a process has in memory."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) / 1024


def _cpu(process: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
