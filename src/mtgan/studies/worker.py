"""One run of a study, in a process of its own: train, measure, record.

`python -m mtgan.studies.worker JOB.json`; ends with 2 and one sentence where the run fails for a
reason that is the user's to mend.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

from mtgan.errors import UserError
from mtgan.files import read_json, write_json, write_text
from mtgan.plugins import use_from
from mtgan.studies.found import measure_found
from mtgan.studies.jobs import Job, Measured, alone, read_result, record_path
from mtgan.studies.kinds import KINDS


def run_job(job: Job) -> None:
    """Train a job (or go on with it), measure it, and record each measurement as it is made.

    A run that is finished and measured as asked is left alone. Two workers never work on one run.
    """
    use_from(job.plugins)
    with alone(Path(job.out)):
        if read_result(job) is not None:
            return
        if job.source is None:
            for measured in KINDS.get(job.kind).run(job):
                _record(job, measured)
            return
        measured, out = measure_found(job, job.source), Path(job.out)
        out.mkdir(parents=True, exist_ok=True)
        lines = "".join(f"{json.dumps(line)}\n" for line in measured.log)
        write_text(out / "metrics.jsonl", lines)
        _record(job, measured)


def _record(job: Job, measured: Measured) -> None:
    values = asdict(measured)
    del values["log"], values["mark"]
    file = record_path(job.kind, Path(job.out), measured.mark)
    write_json(file, {"evaluation": job.evaluation, **values})


def _end_with_parent() -> None:
    """A worker whose study was killed saves its state and ends."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def job_file(job: Job) -> str:
    """What `python -m mtgan.studies.worker` reads."""
    return json.dumps(asdict(job), indent=2)


def main(path: str) -> int:
    _end_with_parent()
    try:
        run_job(Job(**read_json(path)))
    except UserError as error:
        with contextlib.suppress(OSError):  # the disk that the log is on is full
            print(f"mtgan: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
