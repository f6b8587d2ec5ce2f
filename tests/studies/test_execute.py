"""Executors: side by side, failing, killed; with processes that train nothing."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mtgan.errors import UserError
from mtgan.studies.execute import LocalExecutor, RayExecutor, threads_per_job
from mtgan.studies.jobs import Job

# Writes when it began and ended, and its threads; fails or is slow where the seed says so.
WORKER = """
import json, os, signal, sys, time
job = json.load(open(sys.argv[1]))
began = time.time()
if job["seed"] == 13:
    sys.exit("mtgan: the loss of phase 'generator' is not finite")
if job["seed"] == 14:
    os.kill(os.getpid(), signal.SIGKILL)
if job["seed"] == 15:
    print("begun", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: (open(job["out"], "w").write("saved"), sys.exit(2)))
    time.sleep(60)
time.sleep(0.3)
json.dump([began, time.time(), os.environ["OMP_NUM_THREADS"]], open(job["out"], "w"))
"""


def make_job(folder: Path, seed: int) -> Job:
    return Job(f"run-{seed}", {}, {}, seed, {}, str(folder / f"result-{seed}"), "cpu")


@pytest.fixture
def command(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "worker.py").write_text(WORKER)
    return sys.executable, str(tmp_path / "worker.py")


def test_failures_are_told_and_stop_nothing(tmp_path: Path, command: tuple[str, ...]) -> None:
    executor = LocalExecutor(tmp_path / "logs", 2, command)
    outcomes = executor.run([make_job(tmp_path, seed) for seed in (13, 0, 14, 1)])
    errors = {outcome.job.seed: outcome.error for outcome in outcomes}
    assert errors[0] == errors[1] == ""
    assert errors[13].startswith("the loss of phase 'generator' is not finite (log: ")
    assert errors[14].startswith("ended by SIGKILL")


def test_jobs_run_side_by_side_and_share_the_cores(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    jobs = [make_job(tmp_path, seed) for seed in range(4)]
    assert len(list(LocalExecutor(tmp_path / "logs", 2, command).run(jobs))) == 4
    times = [json.loads(Path(job.out).read_text()) for job in jobs]
    events = sorted([(began, 1) for began, _, _ in times] + [(end, -1) for _, end, _ in times])
    running = [sum(change for _, change in events[: i + 1]) for i in range(len(events))]
    assert max(running) == 2
    assert {int(threads) for *_, threads in times} == {threads_per_job(2)}


def test_jobs_share_the_cores_and_never_take_more_threads_than_were_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    for asked, expected in (
        ("", [8, 4, 1]),
        ("3", [3, 3, 1]),
        ("16", [8, 4, 1]),
        ("2,1", [8, 4, 1]),
    ):
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
        assert [threads_per_job(jobs) for jobs in (1, 2, 10_000)] == expected


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_lets_the_workers_save(
    tmp_path: Path, command: tuple[str, ...], number: signal.Signals
) -> None:
    code = (
        "import signal, sys\nfrom pathlib import Path\n"
        "from mtgan.studies.execute import LocalExecutor\nfrom mtgan.studies.jobs import Job\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"job = Job('run', {{}}, {{}}, 15, {{}}, {str(tmp_path / 'result')!r}, 'cpu')\n"
        f"list(LocalExecutor(Path({str(tmp_path)!r}) / 'logs', 1, {command!r}).run([job, job]))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    log = tmp_path / "logs" / "run.log"
    deadline = time.time() + 120
    while not (log.is_file() and "begun" in log.read_text()) and time.time() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    assert process.wait(timeout=60) != 0
    assert (tmp_path / "result").read_text() == "saved"


# Ray


def on_a_node(job: Job) -> None:
    """Notes the node that it runs on; never ends on the one that is to be lost."""
    import ray

    folder, node = Path(job.out).parent, ray.get_runtime_context().get_node_id()
    with (folder / f"begun-{job.seed}").open("a") as file:
        file.write(node + "\n")
    if job.seed == 3:
        raise UserError("this one never works")
    time.sleep(600 if node == (folder / "lost").read_text() else 0.2)
    Path(job.out).write_text(node)


@pytest.mark.timeout(900)
def test_a_cluster_that_loses_a_node_completes_the_study(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    # Workers cannot import this file.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    small = {"num_cpus": 1, "object_store_memory": 10**8}
    cluster = Cluster(initialize_head=True, head_node_args={**small, "include_dashboard": False})
    try:
        lost = cluster.add_node(**small)
        cluster.wait_for_nodes()
        (tmp_path / "lost").write_text(lost.node_id)

        def begun_on_lost() -> list[str]:
            files = tmp_path.glob("begun-*")
            return [f.name for f in files if lost.node_id in f.read_text()]

        def kill_when_at_work() -> None:
            while not begun_on_lost():
                time.sleep(0.1)
            cluster.remove_node(lost, allow_graceful=False)

        threading.Thread(target=kill_when_at_work, daemon=True).start()
        # Together they ask for more than one node has, so that both get some.
        jobs = [make_job(tmp_path, seed) for seed in range(6)]
        outcomes = RayExecutor(cluster.address, work=on_a_node).run(jobs)
        errors = {outcome.job.seed: outcome.error for outcome in outcomes}
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert errors.pop(3) == "this one never works"
    assert errors == dict.fromkeys((0, 1, 2, 4, 5), "")
    survivors = {(tmp_path / f"result-{seed}").read_text() for seed in errors}
    assert len(survivors) == 1
    # What the lost node was at was begun again on the other one; the failing job was not.
    attempts = {f.name: len(f.read_text().split()) for f in tmp_path.glob("begun-*")}
    assert attempts["begun-3"] == 1
    assert all(attempts[name] >= 2 for name in begun_on_lost() if name != "begun-3")
    assert begun_on_lost()


def test_no_cluster_is_the_users_mistake() -> None:
    pytest.importorskip("ray")
    with pytest.raises(UserError, match="no Ray cluster"):
        list(RayExecutor("auto").run([]))
