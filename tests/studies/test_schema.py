"""Study files: scales, short forms, and one sentence for each mistake."""

from pathlib import Path

import pytest
import yaml

from mtgan.errors import UserError
from mtgan.recipes import load_recipe
from mtgan.studies.load import dump_study, load_study, on_data, restricted, study_names
from mtgan.studies.plan import make_plan

SHIPPED = {
    "aggregators",
    "labeled-share",
    "semi-supervised",
    "precision",
    "learning-rates",
    *(
        "bifurcation",
        "twins-on-two-sets",
        "conditioning",
        "auxiliary-tasks",
        "hierarchy-size",
        "dataset-size",
    ),
    *("g-advantage", "classifier-frequency", "resnet", "batch-size"),
    *("clipping", "domain-sharing", "domains-in-turn", "multidomain-claims", "longer-training"),
    *("four-conditionings", "class-loss-weights", "initializations", "ttur"),
    *("batch-scaling", "wgan-four-tasks", "fine-tuning"),
}
SEARCHES = {"ac-gan-b-settings": 27, "stability": 40}
CLASSIFIERS = {
    f"mtl-{name}"
    for name in (
        *("auxiliary-tasks", "data-fraction", "hard-against-soft", "other-data"),
        *("shared-layers", "soft-weight", "sharing-grid", "critic"),
    )
}
MINIMAL = """
recipes: [wgan-gp, {name: mine, recipe: gan, set: {latent.dim: 7}}]
datasets: {digits: {name: digits}}
seeds: 3
set: {latent.dim: 5, optimizer.beta1: 0.1}
scales:
  tiny: {seeds: [4, 5], set: {latent.dim: 6}, budget: {scale: tiny, steps: 9}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(MINIMAL)
    return path


def test_the_studies_are_shipped() -> None:
    assert set(study_names()) == SHIPPED | CLASSIFIERS | {*SEARCHES, "random-search"} | {
        "augmentation",
        "augmentation-controls",
        "mtl-good-baseline",
        "zoo",
        "few-images",
        "heads",
        "quality",
        "settings",
    }


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_shipped_study_can_be_planned_at_every_scale(name: str) -> None:
    for scale in ("full", "small", "tiny"):
        study = load_study(name, scale)
        plan = make_plan(study)
        assert study.source
        assert plan.pairs
        assert len(study.seeds) >= (3 if scale == "tiny" else 5)
    assert load_study(name).budget.scale == "full"
    tiny = max(cell.recipe.training.steps for cell in make_plan(load_study(name, "tiny")).cells)
    assert tiny <= 200


@pytest.mark.parametrize(("name", "settings"), SEARCHES.items())
def test_a_shipped_search_can_be_planned_at_every_scale(name: str, settings: int) -> None:
    for scale in ("full", "small", "tiny"):
        study = load_study(name, scale)
        plan = make_plan(study)  # each setting is one that every recipe takes
        assert study.source
        assert len(study.settings) == (20 if (name, scale) == ("stability", "tiny") else settings)
        assert len(plan.cells) == len(study.settings) * len(study.recipes)
        assert len(plan.pairs) == len(study.settings) * (len(study.recipes) - 1)
        assert study.failure
    assert max(cell.length for cell in plan.cells) <= 200


def test_a_random_search_of_classifiers_can_be_planned() -> None:
    plan = make_plan(load_study("random-search", "tiny"))
    assert (len(plan.cells), plan.pairs, plan.study.kind) == (30, [], "classifier")
    for cell in plan.cells:
        assert cell.recipe.sharing.layers in {1, 2, 3}
        assert 1e-3 <= cell.recipe.sharing.weight <= 10
    assert len({str(cell.settings) for cell in plan.cells}) == 30


@pytest.mark.parametrize("name", sorted(CLASSIFIERS))
@pytest.mark.parametrize("scale", ["tiny", "full"])
def test_a_shipped_study_of_classifiers_can_be_planned(name: str, scale: str) -> None:
    study = load_study(name, scale)
    plan = make_plan(study)
    assert study.title
    assert study.source
    assert study.about.endswith(".")
    assert len(study.seeds) >= 5
    assert all(second.recipe.sharing.kind == "none" for _, second in plan.pairs)
    assert {cell.length for cell in plan.cells} == {200 if scale == "full" else 15}


def test_the_zoo_has_every_recipe_of_the_sources_under_one_budget() -> None:
    study = load_study("zoo")
    cells = make_plan(study).cells
    assert len(cells) == 27
    assert study.gallery
    for cell in cells:
        assert cell.length == 1000
        assert cell.recipe.optimizer.learning_rate == 5e-4
        source = load_recipe(cell.recipe.name)
        assert cell.recipe.optimizer.decay == source.optimizer.decay
        assert cell.recipe.training.ema_decay == source.training.ema_decay
    assert make_plan(load_study("zoo", "tiny")).cells[0].length == 30


def test_settings_and_data_from_outside_win(file: Path) -> None:
    study = load_study(file, "tiny", overrides={"optimizer.beta1": 0.2, "training.steps": 3})
    [first, _] = make_plan(study).cells
    assert (first.recipe.optimizer.beta1, first.length) == (0.2, 3)
    with pytest.raises(UserError, match=r"varies latent\.dim itself"):
        load_study(file, overrides={"latent.dim": 3})
    other = on_data(study, "folder/photos", taxonomy=Path("t.yaml"))
    assert (other.name, list(other.datasets)) == ("mine-photos", ["photos"])
    assert other.datasets["photos"].name == "folder/photos"
    assert other.datasets["photos"].taxonomy == "t.yaml"
    with pytest.raises(UserError, match="varies the data"):
        on_data(load_study("dataset-size"), "digits")


def test_a_study_extends_another(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: mtl-shared-layers\nseeds: 2\nscales: {tiny: {seeds: 1}}\n")
    study, parent = load_study(path), load_study("mtl-shared-layers")
    assert (study.name, study.title, study.seeds) == ("mine", "", [0, 1])
    assert (study.recipes, study.kind) == (parent.recipes, "classifier")
    assert load_study(path, "tiny").set == {}
    path.write_text(f"extends: {path}")
    with pytest.raises(UserError, match="extend each other in a circle"):
        load_study(path)


def test_a_scale_replaces_keys_and_merges_settings(file: Path) -> None:
    full, tiny = load_study(file), load_study(file, "tiny")
    assert (full.name, full.scale, full.seeds) == ("mine", "full", [0, 1, 2])
    assert (tiny.scale, tiny.seeds, tiny.budget.steps) == ("tiny", [4, 5], 9)
    assert tiny.set == {"latent.dim": 6, "optimizer.beta1": 0.1}
    assert load_study(file, "tiny", seeds=2).seeds == [0, 1]


def test_settings_win_in_order(file: Path) -> None:
    first, second = make_plan(load_study(file, "tiny")).cells
    assert (first.recipe.latent.dim, second.recipe.latent.dim) == (6, 7)
    assert first.recipe.optimizer.beta1 == 0.1
    assert first.recipe.training.steps == 9
    assert first.recipe.training.evaluate_every == 0


def test_a_resolved_study_is_a_study_file(file: Path, tmp_path: Path) -> None:
    study = load_study(file, "tiny")
    again = tmp_path / "again.yaml"
    again.write_text(dump_study(study))
    assert load_study(again) == study


def test_measures_know_their_direction(file: Path) -> None:
    values = yaml.safe_load(MINIMAL)
    values["measures"] = [
        *("accuracy/fine", "log_loss_ratio", {"name": "x", "better": "lower"}),
        *("image/frechet_distance", "smiles/ngram_distance/4"),
    ]
    file.write_text(yaml.safe_dump(values))
    measures = load_study(file).measures
    assert [measure.better for measure in measures][:3] == ["higher", "", "lower"]
    assert [measure.title for measure in measures[::3]] == [
        "accuracy (fine)",
        "image: Frechet distance",
    ]
    assert measures[4].title == "smiles: ngram distance (4)"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"recipe": ["gan"]}, "did you mean 'recipes'?"),
        ({"recipes": []}, "recipes"),
        ({"recipes": ["gan", "gan"]}, "'gan' stands there twice"),
        ({"recipes": ["gna"]}, "did you mean 'gan'?"),
        ({"variants": {"a": {"latent.dmi": 3}}}, "latent.dmi"),
        ({"seeds": -1}, "seeds"),
        ({"seeds": 0}, "seeds"),
        ({"datasets": {"d": {"name": "digits", "subset": 2.5}}}, "subset"),
        ({"baseline": {"recipe": "dcgan"}}, "baseline means the cell 'dcgan / digits'"),
        ({"contrasts": [["gan", "wgan-gp"], ["gann", "gan"]]}, "did you mean 'gan'?"),
        ({"recipes": [{"recipe": "gan", "data": "digit"}]}, "did you mean 'digits'?"),
        ({"alpha": 2}, "alpha"),
        ({"alpha": True}, "alpha"),
        ({"seeds": 1_000_000_000}, "from 1 to 1,000"),
        ({"seeds": True}, "seeds"),
        ({"seeds": [1, True]}, "seeds.1"),
        ({"seeds": [1, -1]}, "seeds.1"),
        ({"seeds": [1, 2**64]}, "seeds.1"),
        ({"seeds": [1, 1]}, "1 stands there twice"),
        ({"seeds": list(range(1001))}, "seeds"),
        ({"seeds": "three"}, "seeds"),
        ({"budget": {"steps": 10**12}}, "budget.steps"),
        ({"budget": {"steps": True}}, "budget.steps"),
        ({"evaluation": {"samples": 10**9}}, "evaluation.samples"),
        ({"evaluation": {"seed": -1}}, "evaluation.seed"),
        ({"datasets": {"d": {"name": "digits", "size": 100_000}}}, "datasets.d.size"),
        ({"datasets": {"d": {"name": "digits", "size": [8, True]}}}, "datasets.d.size"),
        ({"datasets": {"d": {"name": "digits", "seed": 2**64}}}, "datasets.d.seed"),
        ({"datasets": {"d": {"name": "digits", "subset": 10**9}}}, "datasets.d.subset"),
        ({"curves": [""]}, "curves.0"),
        ({"curves": ["generator/loss", "generator/loss"]}, "'generator/loss' stands there twice"),
        ({"scales": [1]}, "scales should map names"),
        ({"scales": {"full": 3}}, "scales should map names"),
        ({"scales": {"full": {"budget": 3}}}, "budget"),
        ({"name": ""}, "name"),
        ({"kind": "gam"}, "did you mean 'gan'"),
        ({"kind": "classifier"}, "There is no recipe 'gan'"),
        ({"kind": "classifier", "budget": {"steps": 3}}, "budget is for GANs"),
        ({"kind": "classifier", "evaluation": {"samples": 3}}, "evaluation is for GANs"),
        ({"recipes": [{"recipe": "gan", "auxiliary_data": "x"}]}, "is for classifiers"),
        (
            {
                "kind": "classifier",
                "recipes": ["stl", "mtl-soft"],
                "found": [{"name": "x", "samples": ["."]}],
            },
            "only runs and numbers can be measured",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_mistakes_get_one_sentence(tmp_path: Path, change: dict, sentence: str) -> None:
    values = {"recipes": ["gan", "wgan-gp"], "datasets": {"digits": {"name": "digits"}}, **change}
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(values))
    with pytest.raises(UserError) as error:
        make_plan(load_study(path))
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_studies_and_scales_that_are_not_there(file: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'bifurcation'"):
        load_study("bifurcatoin")
    with pytest.raises(UserError, match=r"no study file nowhere\.yaml"):
        load_study("nowhere.yaml")
    with pytest.raises(UserError, match="no scale 'huge'"):
        load_study(file, "huge")
    assert load_study("resnet.yaml").name == "resnet"


def test_a_number_of_seeds_has_a_limit_from_python_too(file: Path) -> None:
    with pytest.raises(UserError, match="from 1 to 1,000"):
        load_study(file, seeds=10**9)
    assert len(load_study(file, seeds=1000).seeds) == 1000


def test_a_part_of_a_study() -> None:
    study = load_study("quality")
    part = restricted(study, ["both levels", "dcgan"], [15, 30], [5, 6], "reporting")
    assert part.name == "quality-reporting"
    assert [entry.label for entry in part.recipes] == ["both levels", "dcgan"]
    assert part.recipes[0] == next(one for one in study.recipes if one.label == "both levels")
    assert (part.marks.at, part.seeds, part.baseline) == ([15, 30], [5, 6], None)
    assert part.evaluation.beside["unseen"].half == "reporting"
    assert part.evaluation.half is None
    assert restricted(study) == study
    with pytest.raises(UserError, match="marks should rise"):
        restricted(study, marks=[30, 15])
