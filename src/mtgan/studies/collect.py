"""A study's folder, and the tidy table of what its runs gave.

OUT/
  study.yaml     the study, resolved to its scale; itself a study file
  plan.json      cells, comparisons and runs
  runs/ID/       run folders, each with a result.json when finished and measured
  logs/ID.log    what each worker printed
  failures.json  runs that failed at the last attempt, and why
  table.csv, table.parquet
  statistics.json
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtgan.errors import UserError
from mtgan.studies.plan import Plan
from mtgan.studies.schema import Measure, Study, dump_study, load_study

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class StudyResult:
    """A study's folder as it stands: which runs have finished, and their values."""

    path: Path
    study: Study
    plan: dict[str, Any]

    @classmethod
    def open(cls, path: str | Path) -> "StudyResult":
        """Open the folder of a study; UserError where `path` is none."""
        path = Path(path)
        if not is_study_folder(path):
            raise UserError(
                f"{path} is not a study folder (it has no study.yaml or no plan.json); give the "
                "folder that `mtgan study` wrote, such as studies/bifurcation."
            )
        return cls(
            path, load_study(path / "study.yaml"), json.loads((path / "plan.json").read_text())
        )

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
        """result.json of every finished run, by its name."""
        found = {}
        for run in {run for cell in self.plan["cells"] for run in cell["runs"].values()}:
            path = self.path / "runs" / run / "result.json"
            if path.is_file():
                result = json.loads(path.read_text())
                if result["evaluation"] == self.study.evaluation.model_dump(mode="json"):
                    found[run] = result
        return found

    @cached_property
    def failures(self) -> dict[str, str]:
        """Why runs failed, by name; those that have finished since are left out."""
        path = self.path / "failures.json"
        known = json.loads(path.read_text()) if path.is_file() else {}
        return {run: reason for run, reason in known.items() if run not in self.results}

    def runs_of(self, label: str) -> dict[int, str]:
        """Run names of a cell by seed."""
        cell = next(cell for cell in self.plan["cells"] if cell["label"] == label)
        return {int(seed): run for seed, run in cell["runs"].items()}

    def values(self, label: str, measure: str) -> dict[int, float]:
        """A measure's finite values of a cell's finished runs, by seed."""
        found = {}
        for seed, run in self.runs_of(label).items():
            value = self.results.get(run, {}).get("values", {}).get(measure, {}).get("value")
            if value is not None and math.isfinite(value):
                found[seed] = float(value)
        return found

    def shares_runs(self, first: str, second: str) -> bool:
        """Whether two cells are one and the same training."""
        return self.runs_of(first) == self.runs_of(second)

    def better(self, measure: Measure) -> str:
        """Which way a measure is better: as the study says, or as it was recorded."""
        recorded = (
            result["values"].get(measure.name, {}).get("better", "")
            for result in self.results.values()
        )
        return measure.better or next((b for b in recorded if b in {"lower", "higher"}), "")


def is_study_folder(path: Path) -> bool:
    return (path / "study.yaml").is_file() and (path / "plan.json").is_file()


def begin_folder(plan: Plan, out: Path) -> None:
    """Make a study's folder, or find it; UserError where it holds something else.

    Another scale or other seeds of a study of the same name are that study continued: its finished
    runs are used where they are the same.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        if not is_study_folder(out):
            raise UserError(f"{out} exists and is not a study folder; name another with --out.")
        other = StudyResult.open(out).study
        if (other.name, other.scale) != (plan.study.name, plan.study.scale):
            raise UserError(
                f"{out} holds the study {other.name} at scale {other.scale}; name another folder "
                "with --out."
            )
    out.mkdir(parents=True, exist_ok=True)


def write_plan(plan: Plan, out: Path) -> None:
    """study.yaml and plan.json in a study's folder."""
    (out / "study.yaml").write_text(dump_study(plan.study))
    cells = [
        {
            "label": cell.label,
            "recipe": cell.recipe_label,
            "recipe_name": cell.recipe.name,
            "variant": cell.variant,
            "data": cell.data_label,
            "loading": cell.data,
            "settings": cell.settings,
            "iterations": cell.recipe.training.steps,
            "runs": {str(seed): cell.run_id(seed) for seed in plan.study.seeds},
        }
        for cell in plan.cells
    ]
    pairs = [[first.label, second.label] for first, second in plan.pairs]
    content = {"cells": cells, "pairs": pairs}
    (out / "plan.json").write_text(json.dumps(content, indent=2))


def write_failures(out: Path, failures: Mapping[str, str]) -> None:
    (out / "failures.json").write_text(json.dumps(dict(failures), indent=2))


def tidy_rows(result: StudyResult) -> list[dict[str, Any]]:
    """One row per run and measure: the cell's labels and settings, the seed, the value.

    Settings are columns named `set.KEY`, empty where a cell does not set that key; lists are JSON.
    """
    keys = _setting_keys(result.plan["cells"])
    rows = []
    for cell in result.plan["cells"]:
        settings = {f"set.{key}": _plain(cell["settings"].get(key)) for key in keys}
        for seed, run in cell["runs"].items():
            finished = result.results.get(run)
            if finished is None:
                continue
            common = {
                "study": result.study.name,
                "scale": result.study.scale,
                "cell": cell["label"],
                "recipe": cell["recipe"],
                "variant": cell["variant"],
                "data": cell["data"],
                "seed": int(seed),
                "run": run,
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
                        "better": entry.get("better") or result.better(Measure(name=name)),
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
    frame.to_csv(paths[0], index=False)
    frame.to_parquet(paths[1], index=False)
    return paths


def _setting_keys(cells: Iterable[Mapping[str, Any]]) -> Sequence[str]:
    return list(dict.fromkeys(key for cell in cells for key in cell["settings"]))


def _plain(value: Any) -> str | None:
    """One type for a column in which cells hold unlike values."""
    return None if value is None else json.dumps(value)
