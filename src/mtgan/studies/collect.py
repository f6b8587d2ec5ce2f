"""A study's folder, and the tidy table of what its runs gave.

OUT/
  study.yaml     the study, resolved to its scale; itself a study file
  plan.json      cells, comparisons and runs
  runs/ID/       run folders, each with result.json (of classifiers, measured.json) when finished
                 and measured
  logs/ID.log    what each worker printed
  failures.json  runs that failed at the last attempt, and why
  table.csv, table.parquet
  statistics.json
  curves.csv, curves.json
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtgan.errors import UserError
from mtgan.files import new_folder, write_bytes, write_json, write_text
from mtgan.plugins import opening
from mtgan.recipes.records import read_record
from mtgan.studies.jobs import read_result_file, record_path, result_name, run_folder, run_of
from mtgan.studies.kinds import KINDS
from mtgan.studies.load import dump_study, load_study
from mtgan.studies.measures import Measure
from mtgan.studies.plan import StudyPlan
from mtgan.studies.records import Failures, PlanRecord
from mtgan.studies.schema import Study
from mtgan.text import printable
from mtgan.training.folders import has_diverged

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class StudyResult:
    """A study's folder as it stands: which runs have finished, and their values."""

    path: Path
    study: Study
    plan: dict[str, Any]

    def __repr__(self) -> str:
        runs = {run for cell in self.plan["cells"] for run in cell["runs"].values()}
        text = f"{str(self.path)!r}: {len(self.results)} of {len(runs)} runs finished"
        return f"StudyResult({printable(text)})"

    @classmethod
    def open(cls, path: str | Path) -> "StudyResult":
        """Open the folder of a study; UserError where `path` is none."""
        path = Path(path)
        if not is_study_folder(path):
            raise UserError(
                f"{path} is not a study folder (it has no study.yaml or no plan.json); give the "
                "folder that `mtgan study` wrote, such as studies/bifurcation."
            )
        remedy = "run the study again, and it is written anew"
        plan = read_record(path / "plan.json", PlanRecord, remedy)
        with opening(path):
            return cls(path, load_study(path / "study.yaml"), plan)

    @property
    def labels(self) -> list[str]:
        """Cells in the study's order."""
        return [cell["label"] for cell in self.plan["cells"]]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Labels of the cells that are compared, the second being the baseline."""
        return [(first, second) for first, second in self.plan["pairs"]]

    @cached_property
    def results(self) -> dict[str, dict[str, Any]]:
        """What was recorded of every finished run, by its name, with its mark where it has any."""
        evaluation = self.study.evaluation.model_dump(mode="json")
        found: dict[str, dict[str, Any]] = {}
        for cell in self.plan["cells"]:
            for name in self.runs_of(cell["label"]).values():
                folder = run_folder(self.path, name)
                file = record_path(self.kind_of(cell["label"]), folder, cell["mark"])
                if name not in found and (result := read_result_file(file, evaluation)):
                    found[name] = result
        return found

    @cached_property
    def failures(self) -> dict[str, str]:
        """Why runs failed, by name; those that have finished since are left out."""
        path = self.path / "failures.json"
        remedy = "remove it, or run the study again"
        known = read_record(path, Failures, remedy)["runs"] if path.exists() else {}
        return {
            name: known[run_of(name)]
            for label in self.labels
            for name in self.runs_of(label).values()
            if run_of(name) in known and name not in self.results
        }

    @property
    def planned(self) -> set[str]:
        """Names of all its runs."""
        return {name for label in self.labels for name in self.runs_of(label).values()}

    @property
    def unfinished(self) -> set[str]:
        """Names of the runs that have neither finished nor failed."""
        return self.planned - self.results.keys() - self.failures.keys()

    def diverged(self, run: str) -> bool:
        """Whether a run was stopped by a value that is not finite, and has no result."""
        return run not in self.results and has_diverged(run_folder(self.path, run))

    @cached_property
    def _cells(self) -> dict[str, dict[str, Any]]:
        return {cell["label"]: cell for cell in self.plan["cells"]}

    @cached_property
    def logs(self) -> dict[str, list[dict[str, Any]]]:
        """What every run has logged so far, finished or not, by its name, with its mark where it
        has any; see mtgan.studies.kinds.Kind.log."""
        read: dict[Path, list[dict[str, Any]]] = {}
        found = {}
        for label in self.labels:
            for name in self.runs_of(label).values():
                folder = run_folder(self.path, name)
                if folder not in read:
                    read[folder] = KINDS.get(self.kind_of(label)).log(folder)
                found[name] = read[folder]
        return found

    @property
    def last_cells(self) -> list[dict[str, Any]]:
        """Of each training the cell of its last mark, which shows all of it; else all cells."""
        cells = self.plan["cells"]
        if self.study.marks is None:
            return list(cells)
        return [*{tuple(cell["runs"].values()): cell for cell in cells}.values()]

    def kind_of(self, label: str) -> str:
        """The kind of a cell's jobs."""
        return self._cells[label]["kind"] or self.study.kind

    def runs_of(self, label: str) -> dict[int, str]:
        """Run names of a cell by seed, with its mark where it has one."""
        cell = self._cells[label]
        return {seed: result_name(run, cell["mark"]) for seed, run in cell["runs"].items()}

    def without_mark(self, cell: Mapping[str, Any]) -> str:
        """A cell's label but for its mark: one of what a measure is drawn for over marks."""
        marks = self.study.marks
        behind = "" if marks is None or cell["mark"] is None else f" / {marks.label(cell['mark'])}"
        return str(cell["label"]).removesuffix(behind)

    def finished_of(self, label: str) -> dict[int, str]:
        """Names of a cell's finished runs by seed."""
        return {seed: run for seed, run in self.runs_of(label).items() if run in self.results}

    def values(self, label: str, measure: str) -> dict[int, float]:
        """A measure's finite values of a cell's finished runs, by seed."""
        found = {}
        for seed, run in self.finished_of(label).items():
            value = self.results[run]["values"].get(measure, {"value": math.nan})["value"]
            if math.isfinite(value):
                found[seed] = value
        return found

    def without_value(self, label: str, measure: str) -> list[int]:
        """Seeds of a cell's finished runs in which a measure is absent or not finite."""
        return sorted(self.finished_of(label).keys() - self.values(label, measure).keys())

    def shares_runs(self, first: str, second: str) -> bool:
        """Whether two cells are one and the same training."""
        return self.runs_of(first) == self.runs_of(second)

    def better(self, measure: Measure) -> str:
        """Which way a measure is better: as the study says, or as it was recorded."""
        recorded = (
            result["values"][measure.name]["better"]
            for result in self.results.values()
            if measure.name in result["values"]
        )
        return measure.better or next((b for b in recorded if b in {"lower", "higher"}), "")


def is_study_folder(path: Path) -> bool:
    return (path / "study.yaml").is_file() and (path / "plan.json").is_file()


def begin_folder(plan: StudyPlan, out: Path) -> None:
    """Make a study's folder, or find it; UserError where it holds something else.

    Other seeds, cells or measures of a study of the same name and scale are that study continued:
    its finished runs are used where they are the same.
    """
    if is_study_folder(out):
        with opening(out):
            other = load_study(out / "study.yaml")
        if any(
            getattr(other, key) != getattr(plan.study, key) for key in ("name", "scale", "kind")
        ):
            raise UserError(
                f"{out} holds the study {other.name} at scale {other.scale}; name another folder "
                "with --out."
            )
        return
    if (out / "sweep.yaml").is_file():
        raise UserError(
            f"{out} holds a sweep of an earlier version, whose table.md says what came of it (a "
            "study takes its runs under found); name another folder with --out."
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} exists and is not a study folder; name another with --out.")
    try:
        with new_folder(out) as folder:
            write_plan(plan, folder)
    except UserError:
        if not is_study_folder(out):  # as where another process was faster by a moment
            raise


def write_plan(plan: StudyPlan, out: Path) -> None:
    """study.yaml and plan.json in a study's folder, where they say something else so far."""
    cells = [
        {
            "label": cell.label,
            "recipe": cell.recipe_label,
            "recipe_name": cell.recipe.name,
            "variant": cell.variant,
            "setting": cell.setting,
            "data": cell.data_label,
            "loading": cell.data,
            "settings": cell.settings,
            "kind": cell.kind_name,
            "mark": cell.mark,
            "iterations": cell.length,
            "evaluate_every": cell.evaluated_every,
            "runs": {str(s): cell.run_id(s) for s in cell.seeds(plan.study.seeds)},
        }
        for cell in plan.cells
    ]
    pairs = [[first.label, second.label] for first, second in plan.pairs]
    content = json.dumps({"cells": cells, "pairs": pairs}, indent=2)
    for name, text in (("study.yaml", dump_study(plan.study)), ("plan.json", content)):
        file = out / name
        if not file.is_file() or file.read_bytes() != text.encode():
            write_text(file, text)


def write_failures(out: Path, failures: Mapping[str, str]) -> None:
    """failures.json in a study's folder: why runs failed, by name."""
    write_json(out / "failures.json", dict(failures))


def tidy_rows(result: StudyResult) -> list[dict[str, Any]]:
    """One row per run and measure: the cell's labels and settings, the seed, the value.

    Settings are columns named `set.KEY`, empty where a cell does not set that key; lists are JSON.
    """
    keys = _setting_keys(result.plan["cells"])
    names = dict.fromkeys(name for done in result.results.values() for name in done["values"])
    better = {name: result.better(Measure(name=name)) for name in names}
    rows = []
    for cell in result.plan["cells"]:
        settings = {f"set.{key}": _plain(cell["settings"].get(key)) for key in keys}
        for seed, run in result.finished_of(cell["label"]).items():
            finished = result.results[run]
            common = {
                "study": result.study.name,
                "scale": result.study.scale,
                "cell": cell["label"],
                "recipe": cell["recipe"],
                "variant": cell["variant"],
                "data": cell["data"],
                "mark": cell["mark"],
                "seed": seed,
                "run": run_of(run),
                **settings,
                "iterations": finished["iterations"],
                "seconds": finished["seconds"],
            }
            for name, entry in finished["values"].items():
                rows.append(
                    {
                        **common,
                        "measure": name,
                        "value": entry["value"],
                        "better": entry["better"] or better[name],
                    }
                )
    return rows


def table(result: StudyResult) -> "pd.DataFrame":
    """The tidy table as a data frame."""
    import pandas as pd

    return pd.DataFrame(tidy_rows(result))


def write_table(result: StudyResult) -> list[Path]:
    """table.csv and table.parquet in the study's folder."""
    frame = table(result)
    paths = [result.path / "table.csv", result.path / "table.parquet"]
    write_text(paths[0], frame.to_csv(index=False))
    write_bytes(paths[1], frame.to_parquet(index=False))
    return paths


def _setting_keys(cells: Iterable[Mapping[str, Any]]) -> Sequence[str]:
    return list(dict.fromkeys(key for cell in cells for key in cell["settings"]))


def _plain(value: Any) -> str | None:
    """One type for a column in which cells hold unlike values."""
    return None if value is None else json.dumps(value)
