"""Runs of a study that begin from another one, which is trained first."""

from pathlib import Path

import pytest

from mtgan.errors import UserError
from mtgan.studies.plan import StudyPlan, make_plan
from mtgan.studies.schema import Study
from mtgan.studies.study import run_study
from mtgan.training import Run
from studies.test_worker import Here
from studies_toys import TINY

START = {
    "data": {"name": "digits", "classes": {"fine": ["0", "1", "2", "5"]}},
    "set": {"training.steps": 2},
}
FEW = {"few": {"name": "digits", "classes": {"fine": ["3", "4"]}, "subset": 40}}


def plan_of(**keys: object) -> StudyPlan:
    begun = {"recipe": "ac-gan-a", "start": START}
    entries = [
        "ac-gan-a",
        {**begun, "name": "tuned"},
        {**begun, "name": "frozen", "set": {"freeze.discriminator": 1}},
    ]
    values = {**TINY, "recipes": entries, "datasets": FEW, "budget": {"steps": 3}, **keys}
    return make_plan(Study.model_validate(values))


def test_entries_share_the_run_that_they_begin_from(tmp_path: Path) -> None:
    plan = plan_of()
    result = run_study(plan, tmp_path, Here(), device="cpu")
    assert (len(result.results), result.failures) == (3, {})
    [folder] = [path for path in (tmp_path / "starts").iterdir() if path.name[0] != "."]
    start = Run.open(folder)
    assert start.steps[-1] == start.recipe.training.steps == 2
    assert start.recipe.freeze.discriminator == 0
    assert start.recipe.run["data"]["classes"] == {"fine": ["0", "1", "2", "5"]}
    scratch, tuned, frozen = (Run.open(tmp_path / "runs" / c.run_id(0)) for c in plan.cells)
    assert "start" not in scratch.recipe.run
    for run in (tuned, frozen):
        assert run.recipe.run["start"]["path"] == str(folder)
        assert run.recipe.training.steps == 3
    again = Here()
    run_study(plan, tmp_path, again, device="cpu")
    assert again.asked == []


def test_names_follow_from_what_a_run_begins_from() -> None:
    names = [cell.run_id(0) for cell in plan_of().cells]
    assert len({*names}) == 3
    longer = {**START, "set": {"training.steps": 4}}
    other = plan_of(recipes=["ac-gan-a", {"recipe": "ac-gan-a", "name": "tuned", "start": longer}])
    assert other.cells[0].run_id(0) == names[0]
    assert other.cells[1].run_id(0) not in names
    starts = [cell.start_job(seed) for cell in plan_of().cells for seed in (0, 1)]
    assert starts[:2] == [None, None]
    assert starts[2] == starts[4]
    assert starts[2] != starts[3]


def test_at_marks_runs_begin_from_another_one_too(tmp_path: Path) -> None:
    plan = plan_of(
        recipes=[{"recipe": "ac-gan-a", "start": START}],
        budget={},
        marks={"iterations": [1, 2]},
    )
    result = run_study(plan, tmp_path, Here(), device="cpu")
    assert (len(result.results), result.failures) == (2, {})
    run = Run.open(tmp_path / "runs" / plan.cells[0].run_id(0))
    assert run.steps[-1] == 2
    assert run.recipe.run["start"]["path"].startswith(str(tmp_path / "starts"))


def test_other_kinds_of_runs_begin_from_none() -> None:
    with pytest.raises(UserError, match="'stl' has start, and runs of kind classifier begin"):
        make_plan(
            Study.model_validate(
                {
                    "name": "toy",
                    "kind": "classifier",
                    "recipes": [{"recipe": "stl", "start": START}],
                    "datasets": {"digits": {"name": "digits"}},
                    "measures": ["accuracy/main"],
                }
            )
        )
