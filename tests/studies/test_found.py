"""Cells of results that are there already: finished runs, samples, numbers."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from mtgan.data import load_dataset
from mtgan.errors import UserError
from mtgan.reports import write_study_report
from mtgan.studies.execute import JobOutcome
from mtgan.studies.found import read_numbers, rows_by_seed
from mtgan.studies.jobs import Job
from mtgan.studies.load import dump_study
from mtgan.studies.plan import make_plan
from mtgan.studies.schema import Study
from mtgan.studies.study import run_study
from mtgan.studies.worker import run_job
from mtgan.training import train
from toys import small_recipe


def study(**keys: object) -> Study:
    return Study.model_validate(
        {
            "name": "found",
            "recipes": ["cwgan-a"],
            "datasets": {"digits": {"name": "digits"}},
            "set": SMALL,
            "seeds": 2,
            "evaluation": {"samples": 60, "features": "pixels"},
            "measures": ["frechet_distance"],
            **keys,
        }
    )


SMALL = {
    **{f"{part}.width": 8 for part in ("generator", "discriminator")},
    "latent.dim": 6,
    "training.batch_size": 8,
    "training.steps": 2,
}


class Here:
    """Works on the jobs in this process."""

    def run(self, jobs: Sequence[Job]) -> Iterator[JobOutcome]:
        for job in jobs:
            run_job(job)
            yield JobOutcome(job)


@pytest.fixture
def place(tmp_path: Path, monkeypatch) -> Path:
    """Two runs, two sets of real digits as samples, and a table, in the current folder."""
    monkeypatch.chdir(tmp_path)
    digits = load_dataset("digits")
    for seed in range(2):
        train(
            small_recipe("wgan-gp", training__steps=1), digits, f"run-{seed}", seed=seed, quiet=True
        )
        part = digits.load_split("test").select(np.arange(80) + 80 * seed)
        images = np.moveaxis(part.samples, 1, -1)
        np.savez(f"real-{seed}.npz", images=images, labels=part.labels[:, 0])
    Path("paper.csv").write_text("seed,frechet_distance\n1,2.5\n0,1.5\n7,9\n")
    Path("order.csv").write_text("frechet_distance\n3.5\n4.5\n")
    return tmp_path


FOUND = [
    {"name": "before", "runs": ["run-0", "run-1"]},
    {"name": "real", "samples": ["real-0.npz", "real-1.npz"]},
    {"name": "paper", "numbers": "paper.csv"},
    {"name": "in order", "numbers": "order.csv"},
]


def test_what_is_there_is_measured_as_a_run_would_be(place: Path) -> None:
    plan = make_plan(study(found=FOUND))
    result = run_study(plan, place / "study", Here())
    assert result.labels == ["cwgan-a", "before", "real", "paper", "in order"]
    values = {label: result.values(label, "frechet_distance") for label in result.labels}
    assert values["paper"] == {0: 1.5, 1: 2.5}
    assert values["in order"] == {0: 3.5, 1: 4.5}
    assert all(len(each) == 2 for each in values.values())
    assert max(values["real"].values()) < min(values["before"].values())
    assert result.values("real", "accuracy/fine") == {}  # in pixels there is no classifier
    page = write_study_report(result)[0].read_text()
    assert "10 of 10 finished" in page
    assert all(name in page for name in ("before", "real", "paper"))
    again = make_plan(Study.model_validate(plan.study.model_dump()))
    assert [job.id for job in again.jobs(place / "study")] == [j.id for j in plan.jobs(place / "x")]
    assert str(place / "run-0") in dump_study(plan.study)


def test_fewer_results_than_seeds_are_those_of_the_first(place: Path) -> None:
    plan = make_plan(study(found=[{"name": "one", "samples": ["real-0.npz"]}]))
    assert plan.cell("one").seeds([0, 1]) == [0]


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ({"name": "x", "samples": ["nowhere"]}, "names .*nowhere, which does not exist"),
        (
            {"name": "x", "runs": ["run-0", "run-1", "run-0"]},
            "names 3 results, and the study has 2",
        ),
        ({"name": "x", "numbers": "nowhere.csv"}, "nowhere.csv cannot be read"),
        ({"name": "x", "samples": ["run-0"], "data": "digit"}, "did you mean 'digits'"),
        ({"name": "cwgan-a", "runs": ["run-0"]}, "two cells are called 'cwgan-a'"),
    ],
)
def test_what_is_not_there_is_said_before_anything_runs(place: Path, found, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        make_plan(study(found=[found]))


def test_a_cell_is_of_one_kind() -> None:
    with pytest.raises(ValueError, match="'x' should have one of runs, samples and numbers"):
        study(found=[{"name": "x", "runs": ["a"], "numbers": "b.csv"}])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a,b\n1,2\n3,\n", {0: {"a": 1.0, "b": 2.0}, 5: {"a": 3.0}}),
        ("seed,a\n5,2\n8,1\n", {5: {"a": 2.0}}),
    ],
)
def test_numbers_are_by_seed_or_in_order(tmp_path: Path, text: str, found: dict) -> None:
    path = tmp_path / "n.csv"
    path.write_text(text)
    rows = rows_by_seed(path, [0, 5])
    assert {seed: read_numbers(path, row) for seed, row in rows.items()} == found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a\nx\n", r"Line 2 of .*n.csv: 'x' is no number"),
        ("a\n1\nnan\n", r"Line 3 of .*n.csv: 'nan' is no finite number"),
        ("seed,a\nx,1\n", r"Line 2 of .*n.csv: 'x' is no seed"),
        ("seed,a\n0,1\n0,2\n", "has the seed 0 twice"),
        ("seed,a\n7,1\n", "has none of the study's seeds, 0, 1"),
        ("a\n1\n2\n3\n", "has 3 rows, and the study 2 seeds"),
        ("", "holds no numbers"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "n.csv").write_text(text)
    with pytest.raises(UserError, match=sentence):
        rows_by_seed(tmp_path / "n.csv", [0, 1])


def test_cells_without_variants_are_compared_with_the_first(place: Path) -> None:
    variants = {"plain": {}, "flipped": {"data.flip": True}}
    plan = make_plan(study(found=FOUND, variants=variants))
    pairs = {(first.label, second.label) for first, second in plan.pairs}
    assert ("paper", "cwgan-a / plain") in pairs
    assert ("cwgan-a / flipped", "cwgan-a / plain") in pairs
    by_variant = study(found=FOUND, variants=variants, baseline={"variant": "plain"})
    assert all(first.label != "paper" for first, _ in make_plan(by_variant).pairs)
