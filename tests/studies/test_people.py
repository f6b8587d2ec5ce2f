"""A study asks people about its cells."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mtgan.errors import UserError
from mtgan.recipes import load_recipe
from mtgan.reports import write_study_report
from mtgan.runs import train
from mtgan.studies.collect import StudyResult
from mtgan.studies.people import CellArm, people_of, plan_survey
from mtgan.studies.schema import Study
from mtgan.surveys import Survey
from mtgan.surveys.rehearsal import rehearse
from mtgan.training import Run
from studies.conftest import fake_study
from studies_toys import TINY

ASKED = {"design": "pairs", "raters": 8, "trials": 12, "catch": 4, "repeats": 0, "judged": 2}
VALUES = {
    "good": {"frechet_distance": [1.0, 1.2]},
    "bad": {"frechet_distance": [3.0, 3.2]},
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, digits) -> StudyResult:
    """A study of four tiny runs, whose measures are made up."""
    result = fake_study(tmp_path_factory.mktemp("people") / "study", VALUES, survey=ASKED)
    for name in {name for label in result.labels for name in result.runs_of(label).values()}:
        folder = result.path / "runs" / name
        made = folder / "result.json"
        text = made.read_text()
        made.unlink()
        folder.rmdir()
        recipe = load_recipe("gan", {**TINY["set"], "training.steps": 2})
        train(recipe, digits, folder, seed=len(name), device="cpu", quiet=True)
        made.write_text(text)
    return StudyResult.open(result.path)


def test_a_survey_is_planned_of_the_cells(asked: StudyResult) -> None:
    folder = plan_survey(asked)
    assert folder == asked.path / "survey"
    survey = Survey.open(folder)
    assert survey.plan.models == ("good", "bad")
    assert survey.plan.arms["good"] == "2 runs"
    assert survey.plan.arms["real"] == "digits, test"
    assert survey.settings.questions == (("good", "bad"),)
    assert plan_survey(asked) is None  # it stays as it is
    assert people_of(asked) is None


def test_samples_come_from_all_runs_alike(asked: StudyResult) -> None:
    runs = [Run.open(asked.path / "runs" / name) for name in asked.runs_of("good").values()]
    drawn = CellArm("good", runs).draw("", "", 5, seed=3)
    each = [np.asarray(run.sample(3, seed=3 + place)) for place, run in enumerate(runs)]
    assert len(drawn) == 5
    for place in range(5):
        assert (drawn[place] == each[place % 2][place // 2]).all()


def test_the_page_has_people_beside_measures(asked: StudyResult, tmp_path: Path) -> None:
    plan_survey(asked)
    survey = Survey.open(asked.path / "survey")
    shares = {"lapse": 0.0, "side": 0.0, "careless": 0.0, "bots": 0.0}
    rehearse(survey, tmp_path / "back", ["good=3"], shares, 0)
    for file in (tmp_path / "back").iterdir():
        (survey.path / "answers" / file.name).write_bytes(file.read_bytes())
    page, markdown, latex = write_study_report(asked)
    text = markdown.read_text()
    assert "## People: Bradley-Terry strengths" in text
    assert "good is chosen over bad" in text
    assert "| Frechet distance | 1 of 1 |" in text
    assert "which measures agree with people" in latex.read_text().lower()
    assert "good is chosen over bad" in page.read_text()
    for file in survey.path.glob("images/*.png"):
        with Image.open(file) as image:
            assert image.size == (160, 160)


def test_nothing_is_planned_before_all_runs_are_there(tmp_path: Path) -> None:
    half = {**VALUES, "bad": {"frechet_distance": [3.0]}}
    assert plan_survey(fake_study(tmp_path / "s", half, survey=ASKED)) is None
    assert plan_survey(fake_study(tmp_path / "t", VALUES)) is None


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (
            {"survey": {"desing": "pairs"}},
            "survey: there is no key 'desing': did you mean 'design'",
        ),
        ({"survey": {"raters": 1}}, "raters should be a whole number from 2 to 100,000"),
    ],
)
def test_a_wrong_key_is_named(keys: dict, sentence: str) -> None:
    from pydantic import ValidationError

    from mtgan.recipes.sentences import sentence as told

    with pytest.raises(ValidationError) as error:
        Study.model_validate({**TINY, **keys})
    assert sentence in told(error.value, Study)


def test_classifiers_make_no_samples(tmp_path: Path) -> None:
    from mtgan.studies.plan import make_plan

    study = {"recipes": ["stl"], "kind": "classifier", "datasets": {"d": {"name": "digits"}}}
    with pytest.raises(UserError, match="a classifier makes no samples; leave it out"):
        make_plan(Study.model_validate({**study, "survey": {}}))
