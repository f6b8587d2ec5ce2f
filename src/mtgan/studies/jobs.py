"""One job of a study, as plain values that a worker reads, and what is recorded of it."""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from mtgan.data import Dataset, load_dataset
from mtgan.data.taxonomy_file import extends_a_file, whole_taxonomy
from mtgan.files import hold, read_text
from mtgan.recipes.records import read_record
from mtgan.studies.kinds import KINDS
from mtgan.studies.records import RunResult

_AT = "@"
_LAST_SHARE = 0.1  # of a training, over which logged values are averaged


@dataclass(frozen=True)
class Job:
    """One training, or one result that is there: what a worker needs.

    data: arguments of load_dataset, as the job's kind reads them. source: {"kind", "path"} of a
    result that is there already.
    """

    id: str
    recipe: dict[str, Any]
    data: dict[str, Any]
    seed: int
    evaluation: dict[str, Any]
    out: str
    device: str = "auto"
    plugins: Mapping[str, str] = field(default_factory=dict)  # see mtgan.plugins.folders
    source: dict[str, str] | None = None
    kind: str = "gan"
    marks: list[float] = field(default_factory=list)  # where it is measured; none: at its end
    unit: str = ""  # of the marks: seconds or iterations
    start: dict[str, Any] | None = None  # {"id", "recipe", "data"} of the run that it begins from
    # By iteration the distance above which a training ends, unmeasured; see mtgan.studies.pruning.
    ceilings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """What came of a job, of whatever kind.

    values: {name: {"value", "better"}}. protocol: how they were measured. iterations: how long
    the training was, in the unit of its kind. log: lines of a metrics.jsonl that lies elsewhere.
    mark: at which it was measured; None at the end of a training without marks.
    """

    values: dict[str, dict[str, Any]]
    protocol: dict[str, Any]
    iterations: int = 0
    seconds: float = 0.0
    fingerprint: str = ""
    log: list[dict[str, Any]] = field(default_factory=list)
    mark: float | None = None


def mark_name(mark: float) -> str:
    """As files are called by it, and scripts told of it: 15, 7.5."""
    return f"{mark:.2f}".rstrip("0").rstrip(".")


def result_name(run: str, mark: float | None) -> str:
    """The name of what is recorded of a run: its own, or with a mark behind it."""
    return run if mark is None else f"{run}{_AT}{mark_name(mark)}"


def run_of(result: str) -> str:
    """The run of a result."""
    return result.partition(_AT)[0]


def run_folder(out: Path, result: str) -> Path:
    """The folder of one run, or of that of a result, in a study's folder."""
    return out / "runs" / run_of(result)


def record_path(kind: str, folder: Path, mark: float | None = None) -> Path:
    """Where a run of this kind keeps what was measured of it, at a mark."""
    record = Path(KINDS.get(kind).record)
    return folder / (
        record.name if mark is None else f"{record.stem}-{mark_name(mark)}{record.suffix}"
    )


def read_results(job: Job) -> list[dict[str, Any]] | None:
    """What a worker recorded of a finished run, for each of its marks; None where anything is not
    there, or was not measured as the study asks.

    UserError where a file holds something else.
    """
    marks: list[float | None] = [*job.marks] or [None]
    paths = [record_path(job.kind, Path(job.out), mark) for mark in marks]
    found = [read_result_file(path, job.evaluation) for path in paths]
    there = [result for result in found if result is not None]
    return there if len(there) == len(marks) else None


def read_result(job: Job) -> dict[str, Any] | None:
    """As `read_results`: the last one."""
    found = read_results(job)
    return None if found is None else found[-1]


def read_result_file(path: Path, evaluation: Mapping[str, Any]) -> dict[str, Any] | None:
    """The record of a run; None where there is none, or it was measured in another way."""
    if not path.exists():
        return None
    result = read_record(path, RunResult, "remove it, and the study measures that run again")
    return result if result["evaluation"] == evaluation else None


def start_folder(job: Job) -> Path:
    """The folder of the run that a job's run begins from, in the study's folder."""
    assert job.start is not None
    return Path(job.out).parent.parent / "starts" / str(job.start["id"])


@contextlib.contextmanager
def alone(out: Path) -> Iterator[None]:
    """Wait until no other worker (one left behind by a killed study) holds a run."""
    # Beside the run's folder, which does not exist before the run begins.
    lock = hold(out.with_name(f".{out.name}"), "training in", timeout_seconds=-1)
    try:
        yield
    finally:
        lock.release()


def load_data(loading: Mapping[str, Any]) -> Dataset:
    """The data set of a job."""
    return _loader.get()(json.dumps(loading, sort_keys=True))


def _load(loading: str) -> Dataset:
    values = json.loads(loading)
    size = values.pop("size")
    return load_dataset(size=tuple(size) if isinstance(size, list) else size, **values)


_loader: ContextVar[Callable[[str], Dataset]] = ContextVar("_loader", default=_load)


@contextlib.contextmanager
def keeping_data() -> Iterator[None]:
    """In it, the last two data sets that were loaded are kept for who loads them again: one of
    training and one of test samples."""
    before = _loader.set(lru_cache(2)(_load))
    try:
        yield
    finally:
        _loader.reset(before)


def data_words(loading: Mapping[str, Any]) -> str:
    """What is loaded, in words: "cifar100, mouse, 192 images"."""
    names = (loading.get("classes") or {}).values()
    found = [str(loading["name"]), *(" or ".join(classes) for classes in names)]
    for key, words in (("subset", ""), ("labeled", "labels on ")):
        if (amount := loading.get(key)) is not None:
            share = f"{amount:.0%}" if isinstance(amount, float) else f"{amount} images"
            found.append(f"{words}{share}")
    return ", ".join(found)


def with_taxonomy_text(loading: Mapping[str, Any]) -> dict[str, Any]:
    """A loading in which a taxonomy stands for what it says, and not for where it lies, nor where
    a file lies that it extends."""
    taxonomy = loading["taxonomy"]
    if taxonomy is not None and extends_a_file(taxonomy):
        taxonomy = whole_taxonomy(taxonomy)
    elif isinstance(taxonomy, str):
        taxonomy = read_text(taxonomy, "The taxonomy")
    return {**loading, "taxonomy": taxonomy}


def last_values(lines: Iterable[Mapping[str, Any]], kind: str, length: int) -> dict[str, float]:
    """Every value that lines of this kind have logged, averaged over the last tenth of a training.

    length: of the training, in the unit of the lines' steps. A line counts by the steps of that
    tenth that it covers: those since the line before.
    """
    begin, last = (1 - _LAST_SHARE) * length, 0.0
    sums: dict[str, float] = {}
    weights: dict[str, float] = {}
    for line in lines:
        if line["kind"] != kind:
            continue
        covered = max(0.0, line["step"] - max(last, begin))
        last = line["step"]
        for name, value in line["values"].items() if covered else ():
            sums[name] = sums.get(name, 0.0) + covered * value
            weights[name] = weights.get(name, 0.0) + covered
    return {name: total / weights[name] for name, total in sums.items()}
