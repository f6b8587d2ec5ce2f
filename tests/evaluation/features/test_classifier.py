"""The small classifier: good enough, the same every time, trained once."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mtgan.data import Dataset, Taxonomy
from mtgan.errors import UserError
from mtgan.evaluation.cache import save_tensors
from mtgan.evaluation.features import (
    FeatureRequest,
    build_extractor,
    classifier,
    extract,
    fitness,
    measure_fitness,
)
from mtgan.evaluation.features.classifier import (
    Budget,
    SmallClassifier,
    label_levels,
    train_classifier,
)

SHORT = Budget(epochs=1, min_steps=8, max_steps=8, batch=16)


def build(data: Dataset, **options):
    return build_extractor(FeatureRequest("classifier", data, **options))


@pytest.mark.parametrize("size", [(8, 8), (28, 28), (33, 47), (64, 128)])
def test_any_size(size):
    network = SmallClassifier(3, size, {"fine": 5, "coarse": 2}).eval()
    features, logits = network(torch.rand(2, 3, *size))
    assert features.shape == (2, 128)
    assert (features >= 0).all()
    assert {level: tuple(values.shape) for level, values in logits.items()} == {
        "fine": (2, 5),
        "coarse": (2, 2),
    }


def test_learns_digits_in_both_levels(digits, unseen):
    extractor = build(digits)
    for column, level in enumerate(digits.taxonomy.levels):
        fitness = measure_fitness(extractor, digits)[level]
        assert fitness.accuracy > 0.95
        logits = extract(extractor, unseen.samples, cache=False).logits[level]
        assert np.mean(logits.argmax(axis=1) == unseen.labels[:, column]) == fitness.accuracy


def test_same_seed_same_network_and_global_randomness_untouched(tiny):
    levels = label_levels(tiny)
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first = train_classifier(tiny.samples, tiny.labels, levels, seed=1, budget=SHORT)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(3)
    second = train_classifier(tiny.samples, tiny.labels, levels, seed=1, budget=SHORT)
    other = train_classifier(tiny.samples, tiny.labels, levels, seed=2, budget=SHORT)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name
    assert not torch.equal(first.heads[0].weight, other.heads[0].weight)


def test_trained_once_then_cached(digits, monkeypatch):
    first = build(digits)

    def refuse(*args, **kwargs):
        raise AssertionError("trained again")

    monkeypatch.setattr(classifier, "train_classifier", refuse)
    again = build(digits)
    assert again.fingerprint == first.fingerprint
    with pytest.raises(AssertionError, match="trained again"):
        build(digits.select(np.arange(1000)))


def test_a_damaged_cache_file_is_trained_anew(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("MTGAN_CACHE", str(tmp_path))
    monkeypatch.setattr(classifier, "Budget", lambda: SHORT)
    first = build(tiny)
    (path,) = (tmp_path / "classifiers").iterdir()
    path.write_bytes(path.read_bytes()[:1000])
    assert build(tiny).fingerprint == first.fingerprint
    assert load_file(path)


@pytest.fixture
def short(tmp_path, monkeypatch):
    """A cache and a short training of its own."""
    monkeypatch.setenv("MTGAN_CACHE", str(tmp_path))
    monkeypatch.setattr(classifier, "Budget", lambda: SHORT)
    return tmp_path / "classifiers"


def renamed(data: Dataset, names: dict[str, str]) -> Dataset:
    """The same samples and labels under other names of levels."""
    old = data.taxonomy
    taxonomy = Taxonomy(
        tuple(names[level] for level in old.levels),
        {names[level]: classes for level, classes in old.classes.items()},
        {names[level]: (names[up], index) for level, (up, index) in old.parents.items()},
    )
    return Dataset(data.samples, data.labels, taxonomy, name=data.name, split=data.split)


def test_renamed_levels(tiny, short):
    """A column of the labels gets another name, also that of another one or of our own keys."""
    build(tiny)
    for fine, coarse in (("species", "coarse"), ("coarse", "fine"), ("mtgan", "content")):
        data = renamed(tiny, {"fine": fine, "coarse": coarse})
        for _ in range(2):
            extractor = build(data)
            assert extractor.logit_levels == (fine, coarse)
            logits = extract(extractor, data.samples).logits
            assert {level: v.shape[1] for level, v in logits.items()} == {fine: 4, coarse: 2}
            assert set(measure_fitness(extractor, data)) == {fine, coarse}


def test_other_classes_of_the_same_samples(tiny, short):
    build(tiny)
    swapped = Dataset(tiny.samples, tiny.labels.copy(), tiny.taxonomy, "tiny", "all")
    swapped.labels[:] = swapped.labels[::-1]
    build(swapped)
    assert len(list(short.iterdir())) == 2


def test_the_fitness_is_that_of_the_held_out_data(tiny, short, monkeypatch):
    """They may change while the training data stay; the network is not trained anew."""
    halves = tiny.select(np.arange(32)), tiny.select(np.arange(32, 64))
    for module in (classifier, fitness):
        monkeypatch.setattr(module, "judge_splits", lambda reference: halves)
    first = measure_fitness(build(tiny), tiny)["coarse"]
    wrong = halves[1].select(np.arange(32))
    wrong.labels = (wrong.labels + 1) % 2
    halves = halves[0], wrong
    monkeypatch.setattr(classifier, "train_classifier", None)
    again = measure_fitness(build(tiny), tiny)["coarse"]
    assert again.right == again.asked - first.right


@pytest.mark.parametrize("foreign", [{}, {"a": torch.zeros(3)}])
def test_a_foreign_cache_file_is_trained_anew(tiny, short, foreign):
    first = build(tiny)
    (path,) = short.iterdir()
    assert save_tensors(path, foreign, {"fine": "no number"})
    assert build(tiny).fingerprint == first.fingerprint
    path.write_bytes(path.read_bytes()[:-1] + b"\x99")
    assert build(tiny).fingerprint == first.fingerprint


def test_other_data_other_classifier(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("MTGAN_CACHE", str(tmp_path))
    monkeypatch.setattr(classifier, "Budget", lambda: SHORT)
    build(tiny)
    build(tiny.select(np.arange(40)))
    assert len(list((tmp_path / "classifiers").iterdir())) == 2


def test_missing_labels_are_left_out(tiny):
    labels = tiny.labels.copy()
    labels[::2, 0] = -1
    labels[:, 1] = -1
    network = train_classifier(tiny.samples, labels, {"fine": 4, "coarse": 2}, budget=SHORT)
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())


def test_single_class_levels_are_no_levels(tiny, unlabeled):
    assert label_levels(tiny) == {"fine": 4, "coarse": 2}
    first_two = tiny.select(np.flatnonzero(tiny.labels[:, 1] == 0))
    assert label_levels(first_two) == {"fine": 4}
    with pytest.raises(UserError, match="needs labels of at least two classes"):
        build(unlabeled)


def test_given_weights(digits, tiny, tmp_path):
    extractor = build(digits)
    path = tmp_path / "given.safetensors"
    save_tensors(path, extractor.network.state_dict(), {})
    assert build(digits, weights=path).fingerprint == extractor.fingerprint
    with pytest.raises(UserError, match="was trained on other data"):
        build(tiny, weights=path)
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"nothing")
    with pytest.raises(UserError, match="not a readable classifier"):
        build(digits, weights=broken)
