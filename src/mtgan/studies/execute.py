"""Who runs a plan's jobs: processes on this machine, or the nodes of a Ray cluster."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Any, Protocol

from mtgan.errors import Terminated, UserError
from mtgan.files import write_text, writing
from mtgan.studies.jobs import Job

_WORKER = (sys.executable, "-m", "mtgan.studies.worker")
_USERS = UserError.exit_code  # of a worker, where the reason is the user's to mend


@dataclass(frozen=True)
class JobOutcome:
    """How one job ended: error is one sentence, or "" for success; users says whether the reason
    is the user's to mend, as of a recipe that does not fit the data."""

    job: Job
    error: str = ""
    users: bool = False


def failures_exit_code(failed: Sequence[JobOutcome]) -> int:
    """The exit code of a command some of whose jobs failed: UserError's where all reasons are
    the user's to mend."""
    return _USERS if all(outcome.users for outcome in failed) else 1


class Executor(Protocol):
    """Runs jobs in any order and says of each how it ended; a failing job stops no other."""

    def run(self, jobs: Sequence[Job]) -> Iterator[JobOutcome]: ...


@dataclass
class LocalExecutor:
    """Each job in a process of its own, `jobs` of them side by side, cores shared evenly.

    logs: folder for job files and for what the processes print. Interrupted, it lets the processes
    save their state and waits for them.
    """

    logs: Path
    jobs: int = 1
    command: tuple[str, ...] = _WORKER
    _running: set[subprocess.Popen[bytes]] = field(default_factory=set, init=False)
    _stopped: bool = field(default=False, init=False)

    def run(self, jobs: Sequence[Job]) -> Iterator[JobOutcome]:
        with writing(self.logs):
            self.logs.mkdir(parents=True, exist_ok=True)
        with interrupt_on_sigterm(), ThreadPoolExecutor(self.jobs) as pool:
            pending: set[Future[JobOutcome]] = {pool.submit(self._one, job) for job in jobs}
            try:
                while pending:
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            except BaseException:  # Ctrl-C, or a consumer that stops listening
                self._stopped = True
                for process in list(self._running):
                    process.send_signal(signal.SIGTERM)
                raise

    def _one(self, job: Job) -> JobOutcome:
        from mtgan.studies.worker import job_file

        if self._stopped:
            return JobOutcome(job, "not begun")
        file, log = self.logs / f"{job.id}.json", self.logs / f"{job.id}.log"
        try:
            write_text(file, job_file(job))
            with writing(log):
                output = log.open("wb")
        except UserError as error:
            return JobOutcome(job, str(error), users=True)
        with output:
            code = self._work(file, output)
        return JobOutcome(job, "" if code == 0 else _reason(code, log), users=code == _USERS)

    def _work(self, file: Path, output: IO[bytes]) -> int:
        """The exit code of a worker that does the job of this file."""
        process = subprocess.Popen(
            [*self.command, str(file)],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C at the terminal reaches it through us alone
            env={**os.environ, "OMP_NUM_THREADS": str(threads_per_job(self.jobs))},
        )
        self._running.add(process)
        code = process.wait()
        self._running.discard(process)
        return code


@dataclass
class RayExecutor:
    """Each job as a task of a Ray cluster, tried again when its worker or node is lost.

    The jobs' folders must lie where every node sees them: a run goes on from its checkpoint on
    another node. jobs: how many run side by side on one machine.
    """

    address: str = "auto"
    jobs: int = 1
    work: Callable[[Job], None] | None = None  # run_job when None
    retries: int = 3

    def __post_init__(self) -> None:
        _import_ray()  # or say what is missing before anything is written

    def run(self, jobs: Sequence[Job]) -> Iterator[JobOutcome]:
        ray = _import_ray()
        try:
            ray.init(address=self.address, ignore_reinit_error=True, log_to_driver=False)
        except ConnectionError as error:
            raise UserError(
                f"There is no Ray cluster at {self.address!r}; begin one with `ray start --head`."
            ) from error
        task = ray.remote(_attempt).options(max_retries=self.retries, **self._resources(ray))
        waiting = {task.remote(self.work, job): job for job in jobs}
        try:
            while waiting:
                done, _ = ray.wait(list(waiting), num_returns=1)
                yield _outcome(ray, done[0], waiting.pop(done[0]))
        finally:
            for reference in waiting:
                ray.cancel(reference)

    def _resources(self, ray: Any) -> dict[str, float]:
        """Each job's share of the smallest machine that has any processors."""
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        cores = min((node["CPU"] for node in nodes if node.get("CPU")), default=1.0)
        gpus = [node["GPU"] for node in nodes if node.get("GPU")]
        share = {"num_cpus": float(max(1, int(cores) // self.jobs))}
        return {**share, "num_gpus": min(1.0, min(gpus) / self.jobs)} if gpus else share


def threads_per_job(jobs: int) -> int:
    """This process's cores over the jobs side by side, at least 1; no more than OMP_NUM_THREADS
    says where it is set, as it is where others share the cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    share = max(1, (cores or 1) // jobs)
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(share, int(asked)) if asked.isdigit() and int(asked) else share


def _attempt(work: Callable[[Job], None] | None, job: Job) -> tuple[str, bool]:
    """The job's error, or "", and whether it is the user's: an exception of the job is a result,
    and only a lost worker is tried again."""
    from mtgan.studies.worker import run_job

    try:
        (work or run_job)(job)
    except Exception as error:
        return _sentence(error), getattr(error, "exit_code", 1) == _USERS
    return "", False


def _outcome(ray: Any, reference: Any, job: Job) -> JobOutcome:
    try:
        return JobOutcome(job, *ray.get(reference))
    except ray.exceptions.RayError as error:
        return JobOutcome(job, f"its worker was lost: {_sentence(error)}")


def _sentence(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return (
        (lines[0] if isinstance(error, UserError) else f"{type(error).__name__}: {lines[0]}")
        if lines
        else type(error).__name__
    )


def _reason(code: int, log: Path) -> str:
    """Why a process failed: the last line that it printed, or the signal that ended it."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    if code < 0:
        return f"ended by {signal.Signals(-code).name} (log: {log})"
    last = lines[-1].removeprefix("mtgan: ") if lines else f"exit code {code}"
    return f"{last} (log: {log})"


def _import_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise UserError(
            "The executor ray needs Ray; install it with pip install 'mtgan[cluster]'."
        ) from error
    return ray


@contextmanager
def interrupt_on_sigterm() -> Iterator[None]:
    """SIGTERM as Ctrl-C, so that workers are stopped in either case."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Terminated

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not the main thread: signals are someone else's
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
