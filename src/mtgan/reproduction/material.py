"""What an entry is drawn and judged from."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtgan.data import Dataset, load_dataset
from mtgan.errors import UserError
from mtgan.files import read_json, write_json
from mtgan.reproduction.schema import Entry
from mtgan.studies.collect import StudyResult
from mtgan.studies.curves import CurveSet, Line, curve_sets
from mtgan.studies.jobs import run_folder

if TYPE_CHECKING:
    from mtgan.data.domains.base import Preview
    from mtgan.training import Run

SMALL_DATA, FULL_DATA = "fashion-mnist-10k", "cifar100"
TINY = "tiny"


@dataclass(frozen=True)
class Fact:
    """A value of ours beside the one that the source prints."""

    name: str
    ours: str
    source: str


@dataclass
class Material:
    """An entry's runs, and the folder for what is drawn.

    Attributes:
        entry: Its arms are labels of the study's cells.
        scale: Of the study.
        out: The entry's folder.
        result: The study's folder; None where the entry needs no runs.
        real_values: What real images get by the study's instrument, by measure.
        data_name: The data set in place of the usual one; "" for that.
        facts: What the form has found of the source's values; see `rules.printed`.
    """

    entry: Entry
    scale: str
    out: Path
    result: StudyResult | None = None
    real_values: Mapping[str, float] = field(default_factory=dict)
    data_name: str = ""
    facts: list[Fact] = field(default_factory=list)

    @property
    def study(self) -> StudyResult:
        """UserError where the entry has none."""
        if self.result is None:
            raise UserError(f"{self.entry.id} names no study.")
        return self.result

    @property
    def arms(self) -> list[str]:
        """Labels of the cells that the entry shows."""
        return self.entry.arms or self.study.labels

    def values(self, arm: str, measure: str) -> np.ndarray:
        """A measure's finite values of an arm's finished runs [n]."""
        return np.array(list(self.study.values(arm, measure).values()), float)

    def real(self, measure: str) -> float:
        """What real images get; UserError where that was not measured."""
        if measure not in self.real_values:
            raise UserError(f"{self.entry.id}: what real images get in {measure} is not known.")
        return self.real_values[measure]

    # Over training

    @cached_property
    def curves(self) -> list[CurveSet]:
        return curve_sets(self.study)[0]

    def line(self, value: str, arm: str, over: str | None = None) -> Line | None:
        """A logged value of an arm over training; None where no run has logged it."""
        for one in self.curves:
            fits = one.name == value and not one.at_marks and over in (None, one.over)
            if fits and arm in one.lines:
                return one.lines[arm]
        return None

    def over(self, value: str, over: str | None = None) -> str:
        """What the x of a value is."""
        found = (one.over for one in self.curves if one.name == value and over in (None, one.over))
        return next(found, over or "iterations")

    # Runs

    def folders(self, arm: str) -> list[Path]:
        """Of an arm's finished runs, by seed."""
        return [run_folder(self.study.path, run) for run in self.study.finished_of(arm).values()]

    def run(self, arm: str) -> "Run":
        """The first finished run of an arm; UserError where there is none."""
        from mtgan.training import Run

        folders = self.folders(arm)
        if not folders:
            raise UserError(f"{self.entry.id}: no run of {arm} has finished.")
        return Run.open(folders[0])

    def samples(self, arm: str, classes: int, each: int) -> tuple[np.ndarray, list[str]]:
        """Samples uint8 [classes * each, C, H, W] of an arm's first run, `each` of each of its
        first classes in turn, and the classes' names; without names where it is told none."""
        run = self.run(arm)
        level = next(iter(run.asking(None).judged), None)
        if level is None:
            return np.asarray(run.sample(classes * each, seed=0)), []
        names = list(run.dataset_info.taxonomy.classes[level][:classes])
        wanted = [name for name in names for _ in range(each)]
        return np.asarray(run.sample(labels={level: wanted}, seed=0)), names

    def previews(self, arm: str, first: bool) -> tuple[int, list[tuple[str, "Preview"]]]:
        """The iteration of the first or the last checkpoint that an arm's first run keeps, and a
        few samples of each of its domains, by name."""
        from mtgan.training.pictures import previews

        run = self.run(arm)
        step = run.iteration(run.steps[0] if first else None)
        return step, list(previews(run.game(step), seed=0))

    def answer(
        self, folder: Path, analysis: str, options: Mapping[str, Any]
    ) -> tuple[dict[str, Any], Path]:
        """What an analysis says of the run of a folder, and its picture; asked once and kept."""
        from mtgan.analysis import Options, analyze_run
        from mtgan.training import Run

        asked = json.dumps({"analysis": analysis, **options}, sort_keys=True)
        out = self.study.path / "analyses" / folder.name / _digest(asked)
        kept, picture = out / f"{analysis}.json", out / f"{analysis}.png"
        if not (kept.is_file() and picture.is_file()):
            given = {**options, "label": tuple(options.get("label", ()))}
            analyze_run(analysis, Run.open(folder), out, Options(**given))
        return read_json(kept, "The answer"), picture

    def answers(
        self, arm: str, analysis: str, options: Mapping[str, Any]
    ) -> Sequence[dict[str, Any]]:
        """The same of all finished runs of an arm."""
        return [self.answer(folder, analysis, options)[0] for folder in self.folders(arm)]

    # Real data

    def data(self) -> Dataset:
        """The training split of the data that entries without runs are about."""
        usual = FULL_DATA if self.scale == "full" else SMALL_DATA
        return load_dataset(self.data_name or usual)

    def keep(self, name: str, values: Any) -> Path:
        """Write plain values as JSON into the entry's folder."""
        write_json(self.out / name, values)
        return self.out / name


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
