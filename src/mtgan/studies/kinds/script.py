"""Scripts of anybody's, measured as runs are: what they have made at each mark.

A recipe is a command line. It is called with its settings as options, and with

    --data NAME [--root FOLDER] --seed N --seconds S [S ...] (or --iterations) --out FOLDER

where FOLDER does not exist yet. It writes there MARK.npz for each of the marks, as given (what
`mtgan sample RUN --out FILE.npz` writes: `images`, and where there are any `labels`, those asked
for, with the names of their levels), and marks.json: {MARK: {"iterations": N, "seconds": CPU
seconds of the whole process but for samples and files}}. `python` is the one that the study runs
in. A script with an option `decay` other than none learns at rates that depend on its length, as
recipes with `optimizer.decay`: it is called for each mark by itself.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from mtgan.errors import UserError
from mtgan.files import read_json, temporary_folder, write_bytes
from mtgan.recipes.ranges import Part
from mtgan.recipes.records import validated
from mtgan.studies.execute import interrupt_on_sigterm
from mtgan.studies.jobs import Job, Measured, mark_name
from mtgan.studies.kinds import KINDS
from mtgan.studies.marks import (
    FILE,
    MarkProgress,
    ReachedMarks,
    machine_of,
    read_marks,
    write_marks,
)
from mtgan.studies.measure import measure_samples, prepare
from mtgan.studies.schema import Settings, Study, StudyData, StudyRecipe

if TYPE_CHECKING:
    from mtgan.studies.conclusions import Row
    from mtgan.studies.plan import StudyPlan

_MADE = "made"  # of a run's folder: where what the script wrote lies
_PLAIN = StudyData(name="any")


class Script(Part):
    """A command line and the options that are added to it."""

    name: str = "unnamed"
    command: list[str] = Field(default_factory=list)
    options: dict[str, Any] = Field(default_factory=dict)


class ScriptJobs:
    """See mtgan.studies.kinds.Kind."""

    unit = "iterations"
    axes: tuple[str, ...] = ()
    record = "result.json"
    schema = Script

    @property
    def found(self) -> Mapping[str, Callable[[Path, Job], Measured]]:
        return {"samples": measure_samples}

    def check(self, study: Study) -> None:
        if study.survey is not None:
            raise UserError(
                f"Study {study.name}: survey is for GANs, and samples of scripts are no runs; "
                "leave it out, and give the samples to mtgan survey new."
            )
        if study.marks is None:
            raise UserError(
                f"Study {study.name}: a script is told by marks when to leave samples; add marks, "
                "as marks: {seconds: [60]}."
            )

    def recipe(self, entry: StudyRecipe, settings: Settings, study: Study) -> Script:
        try:
            command = shlex.split(entry.recipe)
        except ValueError as error:
            raise UserError(f"{entry.recipe!r} is no command line ({error}).") from error
        return Script(name=entry.label, command=command, options=settings)

    def loading(self, entry: StudyRecipe | None, data: StudyData, recipe: Script) -> dict[str, Any]:
        values = data.model_dump(mode="json")
        usual = _PLAIN.model_dump(mode="json")
        odd = [key for key in values if key not in {"name", "root"} and values[key] != usual[key]]
        if odd:
            raise UserError(
                f"A script reads its data by their name, so {', '.join(odd)} of {data.name} would "
                f"be lost on {recipe.name}; prepare such data (mtgan data prepare), and name the "
                "folder."
            )
        return {key: value for key, value in values.items() if key not in {"labeled", "classes"}}

    def identity(self, recipe: Script, loading: Mapping[str, Any]) -> list[Any]:
        return [recipe.command, recipe.options, dict(loading)]

    def length(self, recipe: Script) -> int:
        return 1

    def batch(self, recipe: Script) -> int:
        return 0

    def evaluated_every(self, recipe: Script) -> int:
        return 0

    def depends_on_length(self, recipe: Script) -> bool:
        return recipe.options.get("decay", "none") != "none"

    def lasting(self, recipe: Script, length: int) -> Script:
        return recipe

    def run(self, job: Job) -> Iterator[Measured]:
        out = Path(job.out)
        marks = read_marks(out, "remove that run's folder, and it is made again")
        if not {mark_name(mark) for mark in job.marks} <= marks.keys():
            marks = _made(job, out)
        for mark in job.marks:
            file = out / _MADE / f"{mark_name(mark)}.npz"
            yield marks[mark_name(mark)].measured(measure_samples(file, job), mark)

    def prepare(self, plan: "StudyPlan") -> None:
        prepare(plan.study, plan.cells)

    def log(self, folder: Path) -> list[dict[str, Any]]:
        return []

    def logged(self, recipe: Script, loading: Mapping[str, Any], device: str) -> set[str]:
        return set()

    def pace(self, recipe: Script, loading: Mapping[str, Any], device: str) -> float:
        return 0.0

    def measured(self, study: Study, protocols: list[Mapping[str, Any]]) -> str:
        return "what each script left at a mark"

    def answers(self, study: Study, rows: "Sequence[Row]") -> list[str]:
        return []


KINDS.register("script")(ScriptJobs())


def _made(job: Job, out: Path) -> dict[str, MarkProgress]:
    """Run the script anew, and keep what it has made at every mark.

    UserError where it fails, or anything is missing.
    """
    recipe, machine = Script.model_validate(job.recipe), machine_of(job)
    scale = machine.read() or 1.0
    asked = {mark_name(mark): mark_name(mark * scale) for mark in job.marks}
    with temporary_folder() as place:
        folder = place / _MADE
        command = [*_command(recipe, job), *asked.values(), "--out", str(folder)]
        threads = {"OMP_NUM_THREADS": "1"} if job.unit == "seconds" else {}
        _call(recipe.name, command, place, threads)
        told = _told(recipe.name, folder, asked.values())
        measured = machine.read()
        for name, mark in asked.items():
            write_bytes(out / _MADE / f"{name}.npz", (folder / f"{mark}.npz").read_bytes())
    marks = {name: replace(told[mark], scale=measured) for name, mark in asked.items()}
    write_marks(out, marks)
    return marks


def _command(recipe: Script, job: Job) -> list[str]:
    """All of the command line that stands before its marks."""
    first, *rest = recipe.command
    options = [
        word
        for key, value in recipe.options.items()
        for word in (f"--{key}", *map(str, value if isinstance(value, list) else [value]))
    ]
    place = {"--data": job.data["name"], "--root": job.data["root"], "--seed": str(job.seed)}
    told = [word for key, value in place.items() if value is not None for word in (key, value)]
    program = sys.executable if first == "python" else first
    return [program, *rest, *options, *told, f"--{job.unit}"]


def _call(name: str, command: list[str], place: Path, variables: Mapping[str, str]) -> None:
    """Run a command; stopped with this process. UserError, with the last line that it printed,
    where it fails."""
    log = place / "log"
    with log.open("wb") as output, interrupt_on_sigterm():
        try:
            process = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **variables},
            )
        except OSError as error:
            raise UserError(f"{command[0]} cannot be run ({error.strerror}).") from error
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    printed = log.read_text(errors="replace")
    print(printed, end="")
    if code:
        lines = [line for line in printed.splitlines() if line.strip()]
        said = lines[-1] if lines else "it said nothing"
        raise UserError(f"The script {name} ended with {code}: {said}")


def _told(name: str, folder: Path, marks: Iterable[str]) -> dict[str, MarkProgress]:
    """What a script says of its marks; UserError where it says nothing of one, or has left no
    samples there."""
    file = folder / FILE
    for path in (file, *(folder / f"{mark}.npz" for mark in marks)):
        if not path.is_file():
            raise UserError(
                f"The script {name} has left no {path.name} in the folder that --out names; see "
                "docs/studies.md for what is expected of one."
            )
    values = {"marks": read_json(file)}
    record = validated(ReachedMarks, values, str(file), f"mend the script {name}")
    known = record.model_dump()["marks"]
    for mark in marks:
        if mark not in known:
            raise UserError(f"The script {name} says nothing of the mark {mark} in {FILE}.")
    return {mark: MarkProgress(**reached) for mark, reached in known.items()}
