"""A study asks people: a survey of its cells, planned when all runs have finished.

OUT/survey/ is the survey's folder (mtgan.surveys.folder). A cell's samples are drawn from the runs
of all its seeds, as many from each, so that people judge the cell and not one of its trainings.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtgan.studies.collect import StudyResult
from mtgan.studies.jobs import run_folder
from mtgan.surveys import Survey, is_survey_folder
from mtgan.surveys.arms import ModelArm, real_arm
from mtgan.surveys.folder import ANSWERS, write_survey
from mtgan.surveys.measures import Agreement, agreement
from mtgan.surveys.plan import make_plan
from mtgan.surveys.results import SurveyResults, results_of
from mtgan.surveys.schema import Settings
from mtgan.training import Run
from mtgan.training.folders import is_run_folder

FOLDER = "survey"
_SIGNS = {"higher": 1.0, "lower": -1.0}


class CellArm(ModelArm):
    """The generators of a cell's runs, one for each seed."""

    def __init__(self, name: str, runs: Sequence[Run]) -> None:
        super().__init__(name, runs[0])
        self.source = f"{len(runs)} runs" if len(runs) > 1 else str(runs[0].path)
        self.card = None
        self._each = [ModelArm(name, run) for run in runs]

    def draw(self, level: str, of_class: str, count: int, seed: int) -> np.ndarray:
        """Of each run as many as of any other, within one, in turn."""
        each = -(-count // len(self._each))
        drawn = [
            arm.draw(level, of_class, each, (seed + place) % 2**31)
            for place, arm in enumerate(self._each)
        ]
        return np.stack(drawn, axis=1).reshape(-1, *drawn[0].shape[1:])[:count]


def plan_survey(result: StudyResult) -> Path | None:
    """Plan the survey that a study asks for, and return its folder; None where it asks for none,
    runs are missing, or it is planned already.

    UserError for cells that cannot be judged beside each other, as of mtgan.surveys.plan.make_plan.
    """
    folder = result.path / FOLDER
    asked = result.study.survey
    if asked is None or is_survey_folder(folder):
        return None
    cells = [cell["label"] for cell in result.last_cells]
    if any(result.finished_of(label) != result.runs_of(label) for label in cells):
        return None
    arms = {label: _arm(result, label) for label in cells}
    found = {label: arm for label, arm in arms.items() if arm is not None}
    settings = Settings.model_validate(asked)
    plan, wanted, everyone = make_plan(settings, found, real_arm(list(found.values()), None))
    write_survey(folder, plan, wanted, everyone)
    return folder


def _arm(result: StudyResult, label: str) -> CellArm | None:
    """A cell as an arm; None where its samples are not of runs in this folder."""
    folders = [run_folder(result.path, name) for name in result.runs_of(label).values()]
    if not all(map(is_run_folder, folders)):
        return None
    return CellArm(label, [Run.open(folder) for folder in folders])


def people_of(result: StudyResult) -> SurveyResults | None:
    """What people said of a study's cells; None where nobody has said anything yet.

    UserError for answers that cannot be, as of mtgan.surveys.answers.read_answers.
    """
    folder = result.path / FOLDER
    if not is_survey_folder(folder) or not any((folder / ANSWERS).iterdir()):
        return None
    return results_of(Survey.open(folder))


def measures_and_people(result: StudyResult, said: SurveyResults) -> list[Agreement]:
    """How each measure of the study, as its mean over seeds, agrees with people about the cells."""
    people, found = said.people, []
    for measure in result.study.measures:
        sign = _SIGNS.get(result.better(measure))
        values = {label: list(result.values(label, measure.name).values()) for label in people}
        if sign is not None and all(values.values()):
            means = {label: sign * float(np.mean(runs)) for label, runs in values.items()}
            found.append(agreement(measure.title, means, people))
    return found
