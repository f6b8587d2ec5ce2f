"""Answers on disk: NAME.png and NAME.json, by default under RUN/analysis; of a twin but the main
one under RUN/twins/TWIN/analysis."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from mtgan import files, text
from mtgan.analysis.base import ANALYSES, Cell, Options, Result
from mtgan.errors import UserError
from mtgan.lettering import is_ours
from mtgan.training import Run
from mtgan.training.commands import words_of

if TYPE_CHECKING:
    from rich.console import Console

FOLDER = "analysis"
"""Of a run, in which its answers lie."""


def analyze_run(
    name: str, run: Run, out: Path | None = None, options: Options | None = None
) -> tuple[Result, tuple[Path, Path]]:
    """Ask a run by the analysis's name, and write NAME.png and NAME.json to `out`.

    An earlier answer to the same question is replaced, when the new one is whole.

    Raises:
        UserError: An unknown name, options that the analysis does not take, a folder that cannot
            be written, files that are no answer of ours, and whatever the analysis refuses.
    """
    asked, options = ANALYSES.get(name), options or Options()
    asked.check(name, options)
    if "twin" in asked.takes:
        run = run.twin(options.twin or run.twin_name)
    out = out or run.folder / FOLDER
    target, picture = out / f"{name}.json", out / f"{name}.png"
    _refuse_foreign(target, picture, name, out == run.folder / FOLDER)
    result = asked.ask(run, options)
    newest = run.steps[-1] if run.steps else None
    step = newest if options.step is None else run.resolve(options.step)
    of_twin = {} if run.twin_name is None else {"twin": run.twin_name}
    answer = {"analysis": name, "run": str(run.path), **of_twin, "step": step, **result.to_dict()}
    with files.replacing(target) as temporary:  # neither, where one of them cannot be written
        temporary.write_text(json.dumps(answer, indent=2))
        result.picture(picture)
    return result, (picture, target)


def _refuse_foreign(target: Path, picture: Path, name: str, in_run: bool) -> None:
    """Nothing is overwritten that is not an earlier answer to the same question, or half of one.

    in_run: whether they lie in the run's own folder of answers, where pictures are ours.
    """
    for path, ours in (
        (target, _is_answer(target, name, in_run)),
        (picture, in_run or _is_answer(target, name, in_run) or is_ours(picture)),
    ):
        if path.exists() and not ours and not (path.is_file() and path.stat().st_size == 0):
            raise UserError(
                f"mtgan analyze {name} did not write {path}, which would be lost; give another "
                "folder with --out, or remove that file."
            )


def _is_answer(target: Path, name: str, in_run: bool) -> bool:
    """Whether a JSON file is an answer, or the beginning of one."""
    try:
        content = files.read_text(target)
    except UserError:
        return False
    try:
        values = json.loads(content)
    except ValueError:
        return in_run or content.startswith(f'{{\n  "analysis": {json.dumps(name)}')
    return isinstance(values, dict) and values.get("analysis") == name


def print_result(result: Result, console: "Console | None" = None) -> None:
    """The table and the verdict."""
    from rich.table import Table as RichTable

    console = console or text.console()
    table = result.table()
    shown = RichTable(*table.columns)
    for row in table.rows:
        shown.add_row(*(text.literal(cell(value)) for value in row))
    console.print(shown)
    console.print(text.literal(result.verdict))


def cell(value: Cell) -> str:
    """A value as it is printed."""
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Answer:
    """An answer found on disk."""

    name: str
    verdict: str
    picture: Path
    values: dict[str, Any]


def answers_in(run: Run) -> tuple[list[Answer], list[str]]:
    """Every answer in the run's folder `analysis`, in the order in which analyses are registered;
    and a sentence about each that cannot be read."""
    found, notes = [], []
    for name in ANALYSES.names():
        target = run.folder / FOLDER / f"{name}.json"
        picture = target.with_suffix(".png")
        if not target.exists():
            continue
        try:
            found.append(_read_answer(name, target, picture))
        except UserError as error:
            again = text.command("mtgan", "analyze", name, *words_of(run))
            notes.append(f"{error} It is left out here; {again} writes it anew.")
    return found, notes


def _read_answer(name: str, target: Path, picture: Path) -> Answer:
    """UserError where one of the files is not what `analyze_run` writes."""
    values = files.read_json(target, "The answer")
    step = values.get("step") if isinstance(values, dict) else None
    verdict = values.get("verdict") if isinstance(values, dict) else None
    if not isinstance(verdict, str) or not isinstance(step, int | None) or isinstance(step, bool):
        raise UserError(f"The answer {target} has no verdict in words, or a step that is none.")
    files.require_file(picture, "The picture")
    try:
        with Image.open(picture, formats=["PNG"]) as image:
            image.load()
    except Exception as error:  # whatever a decoder raises
        raise UserError(f"The picture {picture} cannot be read.") from error
    return Answer(name, verdict, picture, values)
