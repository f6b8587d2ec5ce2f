"""The page of a folder, whatever came to lie there: a run of a GAN or a classifier, a study, or a
survey."""

from functools import singledispatch
from pathlib import Path
from typing import Any

from mtgan.classification import ClassifierRun
from mtgan.errors import UserError
from mtgan.reports.classifiers import write_classifier_report
from mtgan.reports.page import write_report
from mtgan.reports.study import write_study_report
from mtgan.reports.survey import write_survey_report
from mtgan.studies.collect import StudyResult, is_study_folder
from mtgan.surveys import Survey, is_survey_folder
from mtgan.surveys.results import SurveyResults, results_of
from mtgan.training import Run
from mtgan.training.folders import is_classifier_folder
from mtgan.training.run import Step


def write_pages(source: Any, out: Path | None = None, step: Step = None) -> tuple[Path, ...]:
    """Write the page of a run, a study or a survey, whole or by its folder, and return its path, of
    a study or survey also those of its tables.

    step: of the run of a GAN, the checkpoint that is shown. UserError where there is no such thing,
    or the page cannot be written.
    """
    return _write(_open(Path(source)) if isinstance(source, str | Path) else source, out, step)


def _open(folder: Path) -> Any:
    if is_survey_folder(folder):
        return results_of(Survey.open(folder))
    return StudyResult.open(folder) if is_study_folder(folder) else open_run(folder)


def open_run(folder: Path) -> Run | ClassifierRun:
    """The run of a GAN or of a classifier in a folder; UserError where there is none."""
    return ClassifierRun.open(folder) if is_classifier_folder(folder) else Run.open(folder)


@singledispatch
def _write(found: Any, out: Path | None, step: Step) -> tuple[Path, ...]:
    raise UserError(f"There is no page of {type(found).__name__}; give a run, a study or a folder.")


@_write.register
def _(found: Run, out: Path | None, step: Step) -> tuple[Path, ...]:
    return (write_report(found, out, step=step),)


@_write.register
def _(found: ClassifierRun, out: Path | None, step: Step) -> tuple[Path, ...]:
    _refuse_step(found.path, "the run of a classifier", step)
    return (write_classifier_report(found, out),)


@_write.register
def _(found: StudyResult, out: Path | None, step: Step) -> tuple[Path, ...]:
    _refuse_step(found.path, "a study", step)
    return write_study_report(found, out)


@_write.register
def _(found: SurveyResults, out: Path | None, step: Step) -> tuple[Path, ...]:
    _refuse_step(found.path, "a survey", step)
    return write_survey_report(found, out)


def _refuse_step(path: Path, what: str, step: Step) -> None:
    if step is not None:
        raise UserError(f"{path} is {what}, whose page is of no one step; leave step out.")
