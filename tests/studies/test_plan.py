"""Cells, comparisons, and the identity of runs."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from mtgan.classification import ClassifierRecipe, load_classifier_recipe
from mtgan.classification.schema import ClassifierTraining
from mtgan.data import Dataset, load_dataset
from mtgan.errors import UserError
from mtgan.recipes.schema import Recipe, Training
from mtgan.recipes.task import Task
from mtgan.studies.cells import Cell
from mtgan.studies.estimate import estimate
from mtgan.studies.identity import CLASSIFIER, identity_of
from mtgan.studies.load import load_study, study_names
from mtgan.studies.measure import prepare
from mtgan.studies.plan import StudyPlan, make_plan
from mtgan.studies.schema import Study
from studies_toys import TINY


def plan(**keys: object) -> StudyPlan:
    return make_plan(Study.model_validate({**TINY, **keys}))


def labels(made: StudyPlan) -> list[tuple[str, str]]:
    return [(first.label, second.label) for first, second in made.pairs]


def test_the_matrix() -> None:
    made = plan(
        recipes=["gan", "dcgan"],
        variants={"a": {}, "b": {"latent.dim": 3}},
        datasets={"all": {"name": "digits"}, "half": {"name": "digits", "subset": 0.5}},
        set={"data.size": None, "training.batch_size": 8},
        seeds=3,
    )
    assert len(made.cells) == 8
    assert made.cells[1].label == "gan / a / half"
    jobs = made.jobs(Path("out"))
    assert len(jobs) == 24
    assert len({job.id for job in jobs}) == 24
    assert [job.seed for job in jobs[:8]] == [0] * 8  # seed by seed


def test_a_recipe_may_be_for_one_data_set() -> None:
    made = plan(
        recipes=["gan", {"name": "mine", "recipe": "gan", "data": "half"}],
        datasets={"all": {"name": "digits"}, "half": {"name": "digits", "subset": 0.5}},
        baseline={"recipe": "gan", "data": "all"},
    )
    assert [cell.label for cell in made.cells] == ["gan / all", "gan / half", "mine"]
    assert labels(made) == [("gan / half", "gan / all"), ("mine", "gan / all")]


def test_a_recipe_may_be_for_one_variant() -> None:
    made = plan(
        recipes=["gan", {"name": "mine", "recipe": "gan", "variant": "b"}],
        variants={"a": {}, "b": {"latent.dim": 3}},
        baseline={"recipe": "gan"},
    )
    assert [cell.label for cell in made.cells] == ["gan / a", "gan / b", "mine"]
    assert made.cells[2].recipe.latent.dim == 3
    assert labels(made) == [("mine", "gan / b")]


@pytest.mark.parametrize(("key", "what"), [("data", "data set"), ("variant", "variant")])
def test_what_a_recipe_alone_is_for_must_be_there(key: str, what: str) -> None:
    with pytest.raises(UserError, match=f"'gan' names the {what} 'elsewhere'"):
        plan(recipes=[{"recipe": "gan", key: "elsewhere"}])


def test_recipes_for_a_data_set_each_are_compared_with_the_first() -> None:
    own = [{"name": name, "recipe": "gan", "data": name} for name in ("all", "half")]
    datasets = {"all": {"name": "digits"}, "half": {"name": "digits", "subset": 0.5}}
    made = plan(recipes=own, datasets=datasets)
    assert labels(made) == [("half", "all")]
    with pytest.raises(UserError, match=r"'all / half', and .* by baseline: \{recipe"):
        plan(recipes=own, datasets=datasets, baseline={"recipe": "all"})


def test_cells_that_are_trained_alike_share_their_runs() -> None:
    made = plan(recipes=["gan", {"name": "again", "recipe": "gan"}], seeds=2)
    assert len(made.cells) == 2
    assert len(made.jobs(Path("out"))) == 2


def test_sizes_and_channels_of_the_recipe_are_loaded() -> None:
    [cell] = plan(set={"data.size": "8x16", "data.channels": 3}).cells
    assert (cell.data["size"], cell.data["channels"]) == ([8, 16], 3)
    own = {"d": {"name": "digits", "size": "12x8", "channels": 1}}
    [cell] = plan(datasets=own, set={"data.size": None, "data.channels": 3}).cells
    assert (cell.data["size"], cell.data["channels"]) == ([12, 8], 1)


def test_names_follow_from_what_is_trained(tmp_path: Path) -> None:
    [cell] = plan().cells

    def name(seed: int = 0, **changed: object) -> str:
        return replace(cell, **changed).run_id(seed).partition("-s")[2]

    base = name()
    renamed = cell.recipe.model_copy(update={"title": "x", "name": "y", "about": "z"})
    assert name(recipe=renamed) == base
    [other] = plan(set={**TINY["set"], "latent.dim": 7}).cells
    assert name(recipe=other.recipe) != base
    assert name(data={**cell.data, "subset": 0.5}) != base
    assert name(seed=1).partition("-")[2] != base.partition("-")[2]
    assert name(data=dict(reversed(cell.data.items()))) == base
    # What a taxonomy file says counts, and not its name.
    (tmp_path / "a.yaml").write_text("coarse: {}")
    (tmp_path / "b.yaml").write_text("coarse: {}")
    names = [name(data={**cell.data, "taxonomy": str(path)}) for path in tmp_path.iterdir()]
    assert names[0] == names[1] != base


HALVES = "half: {0: a, 1: b, 2: a, 3: b, 4: a, 5: b, 6: a, 7: b, 8: a, 9: b}"


def test_names_follow_from_the_taxonomies_that_a_taxonomy_extends(tmp_path: Path) -> None:
    base, own = tmp_path / "base.yaml", tmp_path / "own.yaml"
    own.write_text("extends: base.yaml\nall: {a: x, b: x}")
    given = {"extends": str(base), "all": {"a": "x", "b": "x"}}

    def cells() -> list[Cell]:
        datasets = {
            key: {"name": "digits", "taxonomy": value}
            for key, value in (("file", str(own)), ("given", given))
        }
        return plan(datasets=datasets).cells

    base.write_text(HALVES)
    first = [cell.run_id(0) for cell in cells()]
    assert cells()[1].data["taxonomy"] == {
        "half": {str(i): "ab"[i % 2] for i in range(10)},
        "all": given["all"],
    }
    base.write_text(HALVES.replace("9: b", "9: a"))
    assert all(now != was for now, was in zip([c.run_id(0) for c in cells()], first, strict=True))


def test_a_key_that_recipes_get_later_renames_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"generator.conditioning": "concat", "tasks": [{"labels": "digit"}]}
    [cell] = plan(set={**TINY["set"], **told}).cells

    class LaterTask(Task):
        new: int = 3

    class LaterTraining(Training):
        new: dict[str, int] | None = None

    class LaterRecipe(Recipe):
        tasks: list[LaterTask] = Field(default_factory=list)
        training: LaterTraining = LaterTraining()
        new: float = 0.5

    def name(**changed: object) -> str:
        plain = LaterRecipe.model_validate({**cell.recipe.model_dump(), **changed})
        return replace(cell, recipe=plain).run_id(0)

    assert name() == cell.run_id(0)
    training = {**cell.recipe.training.model_dump(), "new": {"a": 1}}
    task = {**cell.recipe.tasks[0].model_dump(), "new": 4}
    names = {name(new=0.6), name(training=training), name(tasks=[task]), cell.run_id(0)}
    assert len(names) == 4  # what is not left as usual counts


def test_a_key_that_classifiers_get_later_renames_no_run() -> None:
    class LaterTraining(ClassifierTraining):
        new: dict[str, int] = Field(default_factory=dict)

    class LaterRecipe(ClassifierRecipe):
        training: LaterTraining = LaterTraining()
        new: float | None = None

    found = load_classifier_recipe("mtl-hard").model_dump()
    whole = ClassifierRecipe.model_validate(found)
    later, *others = (
        LaterRecipe.model_validate({**found, **changed})
        for changed in ({}, {"new": 0.5}, {"training": {**found["training"], "new": {"a": 1}}})
    )
    expected = identity_of(whole, CLASSIFIER)
    assert {*expected} == {"network", "sharing", "auxiliary", "data", "augmentation", "training"}
    assert expected["training"] == whole.training.model_dump(mode="json")
    assert identity_of(later, CLASSIFIER) == expected
    assert expected not in [identity_of(other, CLASSIFIER) for other in others]


def test_names_are_stable() -> None:
    first, second = (plan().cells[0].run_id(0) for _ in range(2))
    assert first == second
    assert first.startswith("gan-s0-")


def test_comparisons_by_default_are_with_the_first() -> None:
    assert labels(plan(recipes=["gan", "dcgan"])) == [("dcgan", "gan")]
    two = {"all": {"name": "digits"}, "half": {"name": "digits", "subset": 0.5}}
    assert labels(plan(datasets=two)) == [("half", "all")]
    # Where recipes vary as well, they are compared on each data set.
    assert labels(plan(recipes=["gan", "dcgan"], datasets=two)) == [
        ("dcgan / all", "gan / all"),
        ("dcgan / half", "gan / half"),
    ]


def test_baseline_and_contrasts() -> None:
    made = plan(
        recipes=["gan", "dcgan", "wgan-gp"],
        baseline={"recipe": "dcgan"},
        contrasts=[["gan", "wgan-gp"], ["gan", "dcgan"]],
    )
    assert labels(made) == [("gan", "dcgan"), ("wgan-gp", "dcgan"), ("gan", "wgan-gp")]


def test_the_estimate_takes_finished_runs_first(tmp_path: Path) -> None:
    made = plan(seeds=3)
    job, *_ = made.jobs(tmp_path)
    Path(job.out).mkdir(parents=True)
    result = {
        "evaluation": job.evaluation,
        "values": {},
        "protocol": {},
        "iterations": 4,
        "seconds": 8.0,
        "fingerprint": "f",
    }
    (Path(job.out) / "result.json").write_text(json.dumps(result))
    found = estimate(made, tmp_path)
    assert (found.runs, found.finished, found.timed) == (3, 1, 0)
    assert found.seconds == pytest.approx(16.0)


def test_the_estimate_else_times_a_few_iterations(tmp_path: Path) -> None:
    found = estimate(plan(seeds=2), tmp_path)
    assert (found.runs, found.finished, found.timed) == (2, 0, 1)
    assert 0 < found.seconds < 600
    assert not list(tmp_path.iterdir())


def test_an_estimate_loads_data_once_for_all_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of 50,000 photographs takes half a minute."""
    loaded: list[str] = []

    def load(name: str, **how: Any) -> Dataset:
        loaded.append(name)
        return load_dataset(name, **how)

    monkeypatch.setattr("mtgan.studies.jobs.load_dataset", load)
    made = plan(recipes=["gan", "cgan-a"], seeds=1)
    assert estimate(made, tmp_path).timed == 2
    assert len(loaded) == 1
    estimate(made, tmp_path)
    assert len(loaded) == 2  # asked anew: the files may have changed


def test_curves_of_evaluations_switch_them_on() -> None:
    """At ten points, unless the study says when; the recipe says so, and with it the run's name."""
    quiet, drawn = (
        plan(budget={"steps": 40}),
        plan(budget={"steps": 40}, curves=["inception_score"]),
    )
    assert quiet.cells[0].recipe.training.evaluate_every == 0
    assert drawn.cells[0].recipe.training.evaluate_every == 4
    assert drawn.cells[0].run_id(0) != quiet.cells[0].run_id(0)
    trained = plan(budget={"steps": 40}, curves=["generator/loss"])
    assert trained.cells[0].run_id(0) == quiet.cells[0].run_id(0)
    said = {**TINY["set"], "training.evaluate_every": 3}
    [cell] = plan(set=said, curves=["frechet_distance"]).cells
    assert cell.recipe.training.evaluate_every == 3
    [short] = plan(curves=["frechet_distance"]).cells
    assert short.recipe.training.evaluate_every == 1


def test_curves_of_other_metrics_are_measured_beside() -> None:
    curves = ["frechet_distance", "recall", "precision", "inception_score", "accuracy/fine"]
    [cell] = plan(curves=[*curves, "intra_class_frechet/coarse"]).cells
    found = cell.recipe.training
    assert found.evaluate_metrics == ["intra_class_frechet", "precision_recall"]
    [usual] = plan(curves=["frechet_distance"]).cells
    assert usual.recipe.training.evaluate_metrics == []
    [other] = plan(set={**TINY["set"], "training.evaluate_features": "pixels"}).cells
    [same] = plan(set={**TINY["set"], "training.evaluate_features": "auto"}).cells
    [before] = plan().cells
    assert other.run_id(0) != before.run_id(0) == same.run_id(0)


def test_a_thousand_runs() -> None:
    made = plan(seeds=1000)
    jobs = made.jobs(Path("out"))
    assert len({job.id for job in jobs}) == 1000
    assert jobs[-1].id == made.cells[0].run_id(999)


def test_long_names_make_names_of_folders() -> None:
    [cell] = plan(recipes=[{"recipe": "gan", "set": {"name": "é/" * 200 + "x" * 400}}]).cells
    assert len(cell.run_id(0)) < 120
    assert "/" not in cell.run_id(0)


@pytest.mark.parametrize(
    ("measure", "metrics", "refused"),
    [
        ("recall", None, "computes frechet_distance, inception_score; name all.*precision_recall"),
        ("conditional_accuracy/fine", None, "conditional_accuracy among them"),
        ("recall", "frechet_distance", "computes frechet_distance; name"),
        ("recall", "precision_recall", None),
        ("frechet_distance", None, None),
        ("accuracy/fine", None, None),
        ("discriminator/loss", None, None),
        ("second/recall", None, None),
    ],
)
def test_measures_that_no_evaluation_computes_are_refused_before_anything_is_trained(
    measure: str, metrics: str | None, refused: str | None
) -> None:
    made = plan(measures=[measure], evaluation={"metrics": metrics})
    if refused is None:
        prepare(made.study, [])
        return
    with pytest.raises(UserError, match=refused):
        prepare(made.study, [])


@pytest.mark.parametrize("name", study_names())
def test_shipped_studies_compute_what_they_measure(name: str) -> None:
    for scale in ("full", "tiny"):
        study = load_study(name, scale)
        if study.kind == "gan":
            prepare(study, [])
