"""Answers on disk: NAME.png and NAME.json, by default under RUN/analysis."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from mtgan.analysis.base import ANALYSES, Cell, Options, Result
from mtgan.errors import UserError
from mtgan.training import Run


def analyze_run(
    name: str, run: Run, out: Path | None = None, options: Options | None = None
) -> tuple[Result, tuple[Path, Path]]:
    """Ask a run by the analysis's name, and write NAME.png and NAME.json to `out`.

    An earlier answer to the same question is replaced.

    Raises:
        UserError: An unknown name, a folder that cannot be written, a NAME.json that is no answer
            of ours, and whatever the analysis refuses.
    """
    asked = ANALYSES.get(name)
    out = out or run.path / "analysis"
    target = out / f"{name}.json"
    _refuse_foreign(target, name)
    result = asked.ask(run, options or Options())
    picture = result.picture(out / f"{name}.png")
    step = (options.step if options else None) or (run.steps[-1] if run.steps else None)
    answer = {"analysis": name, "run": str(run.path), "step": step, **result.to_dict()}
    target.write_text(json.dumps(answer, indent=2))
    return result, (picture, target)


def _refuse_foreign(target: Path, name: str) -> None:
    """Nothing is overwritten that is not an earlier answer to the same question."""
    picture = target.with_suffix(".png")
    if not target.exists() and not picture.exists():
        return
    try:
        ours = json.loads(target.read_text()).get("analysis") == name
    except (OSError, ValueError, AttributeError):
        ours = False
    if not ours:
        raise UserError(
            f"{target.parent} holds a {name}.json or {name}.png that mtgan did not write; give "
            "another folder with --out."
        )


def print_result(result: Result, console: Console | None = None) -> None:
    """The table and the verdict."""
    console = console or Console()
    table = result.table()
    shown = RichTable(*table.columns)
    for row in table.rows:
        shown.add_row(*map(cell, row))
    console.print(shown)
    console.print(result.verdict, highlight=False)


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


def answers_in(run: Run) -> list[Answer]:
    """Every answer under RUN/analysis, in the order in which analyses are registered."""
    found = []
    for name in ANALYSES.names():
        target = run.path / "analysis" / f"{name}.json"
        picture = target.with_suffix(".png")
        if target.is_file() and picture.is_file():
            values = json.loads(target.read_text())
            found.append(Answer(name, values["verdict"], picture, values))
    return found
