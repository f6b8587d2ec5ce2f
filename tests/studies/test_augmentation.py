"""Studies of augmentation: whose images are whose, and what planted generators read."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classification.small import SMALL as CLASSIFIER
from mtgan.augmenting import Judged
from mtgan.augmenting.generated import Filter
from mtgan.classification import ClassifierRun
from mtgan.classification.tasks import split_data
from mtgan.data import Dataset, load_dataset
from mtgan.errors import UserError
from mtgan.reports import write_study_report
from mtgan.studies.additions.oversampling import repeated
from mtgan.studies.augmentation import AUGMENTATIONS, parts_of, training_set
from mtgan.studies.collect import StudyResult
from mtgan.studies.conclusions import conclude
from mtgan.studies.estimate import estimate
from mtgan.studies.kinds.augmentation import recalls
from mtgan.studies.load import load_study
from mtgan.studies.plan import StudyPlan, make_plan
from mtgan.studies.schema import Study
from mtgan.studies.study import run_study
from mtgan.training import Run
from studies.test_worker import Here
from toys import SMALL as GAN

KEYS = {key: value for key, value in CLASSIFIER.items() if key != "sharing.layers"}
GENERATOR = {
    key: value
    for key, value in GAN.items()
    if key not in {"data.size", "classifier.width", "training.evaluate_every"}
}
USUAL = {**KEYS, "data.size": None, "generator.set": GENERATOR, "real.share": 0.1}


def recipe(**keys: Any) -> Any:
    changed = {key.replace("__", "."): value for key, value in keys.items()}
    return AUGMENTATIONS.load("stl", {**USUAL, **changed})


def plan(*arms: dict[str, Any], **keys: Any) -> StudyPlan:
    values = {
        "name": "toy",
        "kind": "augmentation",
        "recipes": [{"recipe": "stl", **arm} for arm in arms],
        "datasets": {"digits": {"name": "digits"}},
        "measures": ["test_accuracy", "worst_class_recall"],
        **keys,
        "set": {**USUAL, **keys.get("set", {})},
    }
    return make_plan(Study.model_validate(values))


def pictures(data: Dataset) -> list[bytes]:
    return [sample.tobytes() for sample in data.samples]


# Planted generators


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    """Real images that were held back, as of a perfect generator; and images under any labels."""
    made = plan(
        {"name": "real"},
        {"name": "perfect", "set": {"added.kind": "held-back"}},
        {"name": "useless", "set": {"added.kind": "shuffled"}},
        seeds=4,
        measures=["test_accuracy"],
        set={
            "real.share": 0.03,
            "data.validation": 0.6,
            "added.rule": 60,
            "network.channels": [8, 16],
            "training.batch_size": 16,
            "training.epochs": 6,
            "training.learning_rates": [0.2, 0.02],
        },
    )
    out = tmp_path_factory.mktemp("study") / "out"
    return run_study(made, out, Here(), device="cpu")


def test_a_perfect_generator_reads_yes_and_a_useless_one_no(planted: StudyResult) -> None:
    verdicts = {row.first: row.verdict for row in conclude(planted).rows}
    assert verdicts["perfect"] == "better"
    first, second = conclude(planted).sentences[:2]
    assert first == "Does perfect help, against real? Yes (better: test accuracy)."
    word = {"worse": "No, it hurts (", "no difference found": "Not shown ("}[verdicts["useless"]]
    assert second.startswith(f"Does useless help, against real? {word}")
    page = write_study_report(planted)[0].read_text()
    assert "Does perfect help, against real? Yes" in page


def test_every_arm_makes_the_same_updates(planted: StudyResult) -> None:
    """17 of 43 real images are trained on, and 60 of each class are added, or repeated."""
    for run in planted.results:
        result = ClassifierRun.open(planted.path / "runs" / run).result
        assert result is not None
        assert (result["training_images"], result["validation_images"]) == ({"main": 617}, 26)
        assert result["test_images"] == 359


def test_recalls_are_of_the_test_images(planted: StudyResult, unseen: Dataset) -> None:
    name, recorded = next(iter(planted.results.items()))
    run = ClassifierRun.open(planted.path / "runs" / name)
    assert run.result is not None
    guess, truth = run.predict(unseen.samples), unseen.labels_of("fine")
    table = np.zeros((10, 10))
    np.add.at(table, (truth, guess), 1)
    by_hand = table.diagonal() / table.sum(1)
    values = {key: entry["value"] for key, entry in recorded["values"].items()}
    assert values["recall/3"] == pytest.approx(by_hand[3])
    assert values["worst_class_recall"] == pytest.approx(by_hand.min())
    assert recalls(run, unseen)["worst_class_recall"]["better"] == "higher"
    assert values["test_accuracy"] == pytest.approx(table.trace() / table.sum())


# Whose images are whose


@pytest.mark.parametrize("kind", ["nothing", "oversampling", "held-back", "shuffled"])
def test_validation_is_on_real_images_that_nothing_has_seen(
    digits: Dataset, tmp_path: Path, kind: str
) -> None:
    asked = recipe(added__kind=kind, added__rule=5)
    whole = training_set(asked, digits, 3, tmp_path)
    split = split_data(whole, asked.data.validation, None, 1.0, seed=3)
    plain = parts_of(asked, digits, 3)
    held_out = set(pictures(split.validation))
    assert held_out == set(pictures(plain.real)) - set(pictures(plain.training))
    assert not held_out & set(pictures(split.training))
    assert not split.validation.generated.any()
    assert len(split.training) == plain.epoch == len(plain.training) + 50
    assert set(pictures(whole)) <= set(pictures(digits))
    others = set(pictures(plain.rest)) & set(pictures(split.training))
    assert len(others) == (50 if kind == "held-back" else 0)


def test_the_real_images_are_drawn_by_the_seed(digits: Dataset) -> None:
    first, again, other = (parts_of(recipe(), digits, seed).real for seed in (0, 0, 1))
    assert len(first) == 144
    assert pictures(first) == pictures(again) != pictures(other)
    shares = first.class_counts()["fine"].values()
    assert max(shares) - min(shares) <= 1


def test_of_a_starved_class_few_are_left_and_the_rule_fills_it(digits: Dataset) -> None:
    starved = {"real.share": 1.0, "real.starved": {"coarse": "odd"}, "real.starved_share": 0.1}
    found = parts_of(AUGMENTATIONS.load("stl", {**USUAL, **starved}), digits, 0)
    counts = np.bincount(found.real.labels_of("fine"))
    whole = np.bincount(digits.labels_of("fine"))
    assert (counts[::2] == whole[::2]).all()
    assert abs(counts[1::2].sum() - 0.1 * whole[1::2].sum()) <= 1
    training = np.bincount(found.training.labels_of("fine"))
    assert (training + found.wanted == training.max()).all()


def test_shuffled_images_are_those_of_oversampling(digits: Dataset, tmp_path: Path) -> None:
    both = [
        training_set(recipe(added__kind=kind, added__rule=30), digits, 0, tmp_path)
        for kind in ("oversampling", "shuffled")
    ]
    assert pictures(both[0]) == pictures(both[1])
    added = slice(144, 444)
    assert (both[0].labels[:144] == both[1].labels[:144]).all()
    assert np.bincount(both[1].labels[added, 0]).tolist() == [30] * 10
    assert (both[0].labels[added, 0] == both[1].labels[added, 0]).mean() < 0.3


def test_repeats_come_in_whole_rounds() -> None:
    found = repeated(np.array([4, 5, 6]), 8, np.random.default_rng(0))
    assert sorted(np.bincount(found)[4:].tolist()) == [2, 3, 3]
    assert len(repeated(np.array([4]), 0, np.random.default_rng(0))) == 0


# The generator


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyPlan, StudyResult]:
    made = plan(
        {"name": "real"},
        {"name": "generated", "set": {"added.kind": "generated"}},
        {"name": "filtered", "set": {"added.kind": "generated", "added.filter": 0.5}},
        seeds=1,
        set={"added.rule": 2, "training.epochs": 1},
    )
    out = tmp_path_factory.mktemp("study") / "out"

    def first_half(real: Dataset, level: str, threshold: float, device: str) -> Filter:
        """Of the classes 0 to 4 all, of others nothing; the judge has seen what is trained on."""
        assert (len(real), level, threshold) == (115, "fine", 0.5)
        return lambda samples, asked: asked < 5

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Judged, "of", first_half)
        return made, run_study(made, out, Here(), device="cpu")


def test_arms_share_a_generator_of_the_training_images(
    generated: tuple[StudyPlan, StudyResult], digits: Dataset
) -> None:
    _, result = generated
    assert not result.failures
    assert len(result.results) == 3
    [folder] = [path for path in (result.path / "generators").iterdir() if path.name[0] != "."]
    run = Run.open(folder)
    parts = parts_of(recipe(added__rule=2), digits, 0)
    assert run.recipe.run["data_fingerprint"] == parts.training.fingerprint
    [name] = result.runs_of("generated").values()
    opened = ClassifierRun.open(result.path / "runs" / name)
    assert opened.recipe.run["data_name"] == "digits and generated"
    rebuilt = training_set(
        recipe(added__rule=2, added__kind="generated"), digits, 0, result.path, "cpu"
    )
    assert opened.recipe.run["data_fingerprint"] == rebuilt.fingerprint
    names = [{"fine": str(k)} for k in np.repeat(np.arange(10), 2)]
    assert pictures(rebuilt)[144:164] == [s.tobytes() for s in run.sample(labels=names, seed=0)]
    [name] = result.runs_of("filtered").values()
    filtered = ClassifierRun.open(result.path / "runs" / name)
    assert filtered.recipe.run["samples"] == len(rebuilt)  # what is missing is repeated


def test_with_one_seed_no_answer_is_given(generated: tuple[StudyPlan, StudyResult]) -> None:
    sentences = conclude(generated[1]).sentences
    assert "Does filtered help, against real? Not known (too few seeds)." in sentences


def test_a_finished_study_is_left_alone(generated: tuple[StudyPlan, StudyResult]) -> None:
    made, result = generated
    nothing = Here()
    run_study(made, result.path, nothing, device="cpu")
    assert nothing.asked == []


def test_another_generator_is_another_run_where_it_is_used() -> None:
    arms = {"name": "real"}, {"name": "generated", "set": {"added.kind": "generated"}}
    longer = {"generator.set": {**GENERATOR, "training.steps": 5}}
    names = [[cell.run_id(0) for cell in plan(*arms, set=keys).cells] for keys in ({}, longer)]
    assert names[0][0] == names[1][0]
    assert names[0][1] != names[1][1]


def test_the_estimate_counts_the_generator(tmp_path: Path) -> None:
    arm = {"name": "generated", "set": {"added.kind": "generated"}}
    both = [
        estimate(plan({"name": "real"}), tmp_path, "cpu"),
        estimate(
            plan(arm, set={"generator.set": {**GENERATOR, "training.steps": 10**6}}),
            tmp_path,
            "cpu",
        ),
    ]
    assert both[1].seconds > 10 * both[0].seconds


# What is refused


def test_what_means_nothing_is_refused(digits: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"would draw among what is added, too; set real\.share"):
        recipe(data__images=50)
    with pytest.raises(UserError, match=r"added\.filter is of what is generated, and added\.kind"):
        recipe(added__filter=0.5)
    with pytest.raises(UserError, match="there is no addition 'generate': did you mean"):
        recipe(added__kind="generate")
    with pytest.raises(UserError, match=r"There is no recipe 'labelled-images'"):
        plan({"name": "a"}, set={"generator.recipe": "labelled-images"})
    with pytest.raises(UserError, match="auxiliary_data of 'a' is for classifiers of two data"):
        plan({"name": "a", "auxiliary_data": "digits"})
    with pytest.raises(UserError, match="There is no label level 'middle'"):
        parts_of(recipe(added__balance="middle"), digits, 0)
    with pytest.raises(UserError, match="has no class 'mammal'"):
        parts_of(recipe(real__starved={"coarse": "mammal"}), digits, 0)
    greedy = recipe(added__kind="held-back", added__rule=200)
    with pytest.raises(UserError, match=r"Of the class '0' \d+ real images are held back, and 200"):
        training_set(greedy, digits, 0, tmp_path)


@pytest.mark.parametrize("name", ["augmentation", "augmentation-controls"])
def test_the_shipped_studies_can_be_planned(name: str) -> None:
    for scale in ("full", "small", "tiny"):
        found = make_plan(load_study(name, scale))
        assert found.pairs
        assert len(found.study.seeds) >= (3 if scale == "tiny" else 5)
        assert all(second.recipe_label == "real" for _, second in found.pairs)


def test_the_shipped_superclasses_are_there() -> None:
    clothes = load_dataset("fashion-mnist-10k")
    for cell in make_plan(load_study("augmentation", "small")).cells:
        for level, name in cell.recipe.real.starved.items():
            clothes.taxonomy.class_index(level, name)
