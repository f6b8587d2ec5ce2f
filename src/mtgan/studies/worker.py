"""One run of a study, in a process of its own: train, measure, record.

`python -m mtgan.studies.worker JOB.json`; ends with 2 and one sentence where the run fails for a
reason that is the user's to mend.
"""

import contextlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.evaluation.inputs import as_dataset, fitting_labels
from mtgan.files import hold, read_json, write_json, write_text, writing
from mtgan.plugins import use_from
from mtgan.recipes import Recipe
from mtgan.studies.found import read_numbers
from mtgan.studies.plan import Job, load_data, read_result
from mtgan.training import Run, train
from mtgan.training.checkpoints import list_checkpoints
from mtgan.training.judge import reference_labels

_LAST_SHARE = 0.1  # of the iterations, over which logged values are averaged


def run_job(job: Job) -> None:
    """Train a job (or go on with it), measure it, and write result.json last.

    A run that is finished and measured as asked is left alone. Two workers never work on one run.
    """
    use_from(job.plugins)
    with _alone(Path(job.out)):
        if read_result(job) is not None:
            return
        if job.source is not None:
            _record_found(job, job.source)
            return
        recipe, data = Recipe.model_validate(job.recipe), load_data(job.data)
        out = Path(job.out)
        resume = _can_go_on(out)
        run = train(recipe, data, out, seed=job.seed, resume=resume, device=job.device, quiet=True)
        values, protocol = measure(run, job)
        lines = run.metrics()
        result = {
            "evaluation": job.evaluation,
            "values": {**logged_values(lines, recipe), **values},
            "protocol": protocol,
            "iterations": recipe.training.steps,
            "seconds": lines[-1]["seconds"] if lines else 0.0,
            "fingerprint": data.fingerprint,
        }
        write_json(out / "result.json", result)


def _record_found(job: Job, source: Mapping[str, str]) -> None:
    """Measure what is there already as a run of this study would be, and write result.json."""
    path, out = Path(source["path"]), Path(job.out)
    lines: list[dict[str, Any]] = []
    logged: dict[str, dict[str, Any]] = {}
    iterations = 0
    if source["kind"] == "numbers":
        numbers = read_numbers(path, int(source["row"]))
        values = {name: {"value": value} for name, value in numbers.items()}
        protocol: dict[str, Any] = {"features": f"as in {path.name}"}
    elif source["kind"] == "run":
        run = Run.open(path)
        values, protocol = measure(run, job)
        lines, iterations = run.metrics(), run.steps[-1]
        logged = logged_values(lines, run.recipe)
    else:
        values, protocol = _samples(path, job)
    result = {
        "evaluation": job.evaluation,
        "values": {**logged, **values},
        "protocol": protocol,
        "iterations": iterations,
        "seconds": lines[-1]["seconds"] if lines else 0.0,
        "fingerprint": "",
    }
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "metrics.jsonl", "".join(f"{json.dumps(line)}\n" for line in lines))
    write_json(out / "result.json", result)


def _samples(path: Path, job: Job) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """As `measure`, of samples that are there; labels that they have are those asked for."""
    wanted = job.evaluation
    reference = reference_of(job.data, wanted["split"])
    made = as_dataset(path, "the samples")
    count = min(wanted["samples"], len(reference), len(made))
    random = np.random.default_rng(wanted["seed"])
    made = made.select(np.sort(random.permutation(len(made))[:count]))
    labels = fitting_labels(made, reference, None)
    judge = _quick if wanted["metrics"] is None else _card
    return judge(np.asarray(made.samples), labels, reference, count, job)


def _can_go_on(out: Path) -> bool:
    """Whether there is a run to go on with. What a kill left before the first checkpoint, of which
    nothing can be gone on with, is removed, so that the run can begin anew."""
    if list_checkpoints(out / "checkpoints") or (out / "result.json").exists():
        return True
    with writing(out):
        if out.exists():
            shutil.rmtree(out)
    return False


def reference_of(data: Mapping[str, Any], split: str) -> Dataset:
    """What a run on `data` is measured against: the whole set under its own label hierarchy."""
    whole = {"split": split, "subset": None, "labeled": None, "taxonomy": None}
    return load_data({**data, **whole})


def measure(run: Run, job: Job) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """{name: {value, better}} of a finished run's samples, and how they were measured.

    The averaged generator is asked for as many samples as the reference has, at most the study's.
    Each domain of a run over several is measured by itself, as "DOMAIN/MEASURE". Raises UserError
    where the reference has other finest classes than the run.
    """
    wanted = dict(job.evaluation)
    if run.facts.domains:
        return _domains(run, job)
    reference = reference_of(job.data, wanted["split"])
    count = min(wanted["samples"], len(reference))
    images, rows = run.sample_with_labels(count, seed=wanted["seed"])
    labels = None if rows is None else reference_labels(rows, run, reference)
    if wanted["metrics"] is None:
        return _quick(images, labels, reference, count, job)
    return _card(images, labels, reference, count, job)


def logged_values(lines: list[dict[str, Any]], recipe: Recipe) -> dict[str, dict[str, Any]]:
    """Every logged value, averaged over the last tenth of the iterations.

    A line counts by the iterations of that tenth that it covers: those since the line before.
    With twins, the main one's values stand also under the names that they have without twins
    (generator/fine/adversarial as generator/adversarial), for comparison with a single GAN.
    """
    begin = (1 - _LAST_SHARE) * recipe.training.steps
    sums: dict[str, float] = {}
    weights: dict[str, float] = {}
    for covered, values in _covered(lines, begin):
        for name, value in values.items():
            sums[name] = sums.get(name, 0.0) + covered * value
            weights[name] = weights.get(name, 0.0) + covered
    means = {name: total / weights[name] for name, total in sums.items()}
    for twin in recipe.twins[:1]:
        for name in list(means):
            means.setdefault(name.replace(f"/{twin}", "", 1), means[name])
    return {name: {"value": value, "better": ""} for name, value in means.items()}


def _covered(
    lines: Iterable[Mapping[str, Any]], begin: float
) -> Iterator[tuple[float, Mapping[str, float]]]:
    """(iterations after `begin` that a line averages over, its values), of every training line."""
    last = 0.0
    for line in lines:
        if line["kind"] == "train":
            if line["step"] > max(last, begin):
                yield line["step"] - max(last, begin), line["values"]
            last = line["step"]


def _quick(
    images: np.ndarray, labels: np.ndarray | None, reference: Dataset, count: int, job: Job
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    from mtgan.evaluation import QuickEvaluator

    evaluator = QuickEvaluator(
        reference,
        n=count,
        features=job.evaluation["features"],
        device=job.device,
        seed=job.evaluation["seed"],
    )
    values = evaluator(images, labels)
    return {name: {"value": value} for name, value in values.items()}, evaluator.protocol


def _card(
    images: np.ndarray, labels: np.ndarray | None, reference: Dataset, count: int, job: Job
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    from mtgan.evaluation import evaluate

    wanted = job.evaluation
    card = evaluate(
        images,
        reference,
        labels=labels,
        features=wanted["features"],
        metrics=wanted["metrics"],
        n=count,
        split=wanted["split"],
        seed=wanted["seed"],
        device=job.device,
        resamples=0,
        ladder=False,
    )
    values = {
        name: {"value": float(entry.value), "better": entry.better}
        for name, entry in card.entries.items()
    }
    # As many as were taken, which held-out data may limit.
    taken = {"generated": card.protocol.generated, "reference": card.protocol.reference}
    return values, {"features": wanted["features"], "metrics": wanted["metrics"], **taken}


def _domains(run: Run, job: Job) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    wanted = job.evaluation
    training, held_out = (reference_of(job.data, split) for split in ("train", "test"))
    values = run.evaluate_domains(
        training,
        held_out,
        wanted["samples"],
        features=wanted["features"],
        device=job.device,
        seed=wanted["seed"],
    )
    return values, {"features": wanted["features"], "generated": wanted["samples"]}


@contextlib.contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Wait until no other worker (one left behind by a killed study) holds this run."""
    # Beside the run's folder, which does not exist before the run begins.
    lock = hold(out.with_name(f".{out.name}"), "training in", timeout_seconds=-1)
    try:
        yield
    finally:
        lock.release()


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
