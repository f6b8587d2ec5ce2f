"""Label levels that a recipe makes."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from mtgan.data import Taxonomy
from mtgan.errors import UserError
from mtgan.evaluation.features.classifier import Budget, train_classifier
from mtgan.parts import HIERARCHIES
from mtgan.recipes.schema import Hierarchy
from mtgan.runs import UsualInstruments, train
from mtgan.training import Run, count_parameters
from mtgan.training.hierarchies import with_hierarchies
from toys import make_data, small_recipe


@pytest.fixture(autouse=True)
def _short_budget(monkeypatch) -> None:
    short = partial(train_classifier, budget=Budget(min_steps=40, max_steps=40))
    monkeypatch.setattr("mtgan.evaluation.features.classifier.train_classifier", short)


def striped(count: int = 240):
    """Classes a and c look alike, as do b and d: across the coarse classes {a, b} and {c, d}."""
    data = make_data(count, (1, 8, 8))
    images = np.random.default_rng(0).integers(0, 60, data.samples.shape)
    images[data.labels[:, 0] % 2 == 1] += 150
    data.samples = images.astype(np.uint8)
    return data


def test_superclasses_of_what_is_confused() -> None:
    data = striped()
    table = UsualInstruments().confusion(data, 0)
    assert table.sum() == 120
    assert table[[0, 2]][:, [1, 3]].sum() == 0  # never across what can be told
    found = with_hierarchies(data, [Hierarchy(kind="clustered")], UsualInstruments().confusion)
    groups = found.labels_of("coarse")
    np.testing.assert_array_equal(groups, data.labels[:, 0] % 2)


def test_random_superclasses_have_a_seed_and_a_number() -> None:
    data = make_data()
    parts = [Hierarchy(kind="random", name="kind", classes=3, seed=s) for s in range(6)]
    found = [with_hierarchies(data, [part]) for part in parts]
    assert all(f.taxonomy.levels == ("fine", "kind") for f in found)
    assert all(f.taxonomy.num_classes("kind") == 3 for f in found)
    assert len({tuple(f.labels_of("kind")) for f in found}) > 1
    again = with_hierarchies(data, parts[:1])
    np.testing.assert_array_equal(again.labels, found[0].labels)
    assert again.fingerprint == found[0].fingerprint != data.fingerprint


def test_the_number_of_superclasses_follows_the_data() -> None:
    def count(data) -> int:
        return with_hierarchies(data, [Hierarchy(kind="random")]).taxonomy.num_classes("coarse")

    assert count(make_data()) == 2
    ten = Taxonomy(("digit",), {"digit": tuple("0123456789")}, {})
    flat = replace(make_data(), taxonomy=ten, labels=make_data().labels[:, :1])
    assert count(flat) == 3  # about the root of ten


def test_same_labels_again() -> None:
    found = with_hierarchies(make_data(), [Hierarchy(kind="same", name="again")])
    np.testing.assert_array_equal(found.labels_of("again"), found.labels_of("fine"))


def test_refusals() -> None:
    with pytest.raises(UserError, match="number of superclasses should be from 1 to 4"):
        with_hierarchies(make_data(), [Hierarchy(kind="random", classes=9)])


def test_without_a_classifier_nothing_is_clustered() -> None:
    with pytest.raises(UserError, match=r"none was handed over; take mtgan\.train"):
        with_hierarchies(make_data(), [Hierarchy(kind="clustered")])


def test_a_run_keeps_its_hierarchy_and_resumes_with_it(tmp_path, monkeypatch) -> None:
    recipe = small_recipe("ac-wgan-clustered-hierarchy", training__steps=1)
    run = train(recipe, striped(), tmp_path / "run", quiet=True)
    stored = json.loads((run.path / "data.json").read_text())["taxonomy"]
    assert stored["parents"]["fine"]["index"] == [0, 1, 0, 1]

    def other(data, seed):
        raise AssertionError("a resumed run clusters nothing anew")

    monkeypatch.setattr("mtgan.runs.confusion", other)
    longer = small_recipe("ac-wgan-clustered-hierarchy", training__steps=2)
    train(longer, striped(), tmp_path / "run", resume=True, quiet=True)
    assert Run.open(tmp_path / "run").steps[-1] == 2
    assert Run.open(tmp_path / "run").sample(3, {"coarse": "group1"}).shape == (3, 1, 8, 8)
    counts = count_parameters(recipe, striped())  # clusters nothing either
    assert counts == run.game().parameter_counts()


def test_parameters_under_a_hierarchy_of_ones_own_are_counted_by_its_own_classes(
    monkeypatch,
) -> None:
    def lone(data, part, confusion):
        """Each class in a superclass of its own."""
        return data.with_taxonomy(data.taxonomy.with_groups([0, 1, 2, 3], part.name))

    recipe = small_recipe("ac-wgan-random-hierarchy")
    two = count_parameters(recipe, striped())
    monkeypatch.setitem(HIERARCHIES._entries, "random", lone)
    four = count_parameters(recipe, striped())
    assert four["discriminator"] > two["discriminator"]
