"""Dataset: what it refuses, subsets, other taxonomies, counts and warnings."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from mtgan.data import Dataset, Taxonomy, load_dataset
from mtgan.data.dataset import stratified_choice
from mtgan.errors import UserError
from toys import make_data


def test_labels_can_be_taken_from_all_but_a_share() -> None:
    whole = load_dataset("digits")
    data = load_dataset("digits", labeled=0.1, seed=3)
    known = data.labels[:, 0] >= 0
    assert np.array_equal(data.samples, whole.samples)
    assert known.sum() == round(0.1 * len(whole))
    assert (data.labels[~known] == -1).all()
    assert np.array_equal(data.labels[known], whole.labels[known])
    assert np.bincount(data.labels[known, 0], minlength=10).min() >= 13
    assert load_dataset(**data.spec).fingerprint == data.fingerprint != whole.fingerprint
    assert (data.load_split("test").labels >= 0).all()
    with pytest.raises(UserError, match="labeled=2000: digits has 1438 samples"):
        load_dataset("digits", labeled=2000)


def test_samples_of_some_classes_alone() -> None:
    whole = load_dataset("digits")
    data = load_dataset("digits", classes={"fine": ["3", "8"]}, subset=100)
    assert len(data) == 100
    assert set(data.labels[:, 0]) == {3, 8}
    assert data.taxonomy == whole.taxonomy
    again = load_dataset(**data.spec)
    assert again.fingerprint == data.fingerprint
    held_out = data.load_split("test")  # of the same classes
    assert len(held_out) == np.isin(load_dataset("digits", "test").labels[:, 0], [3, 8]).sum()
    toy = make_data().of_classes({"fine": ["a", "b"], "coarse": "x"})
    assert set(toy.labels[:, 0]) == {0, 1}
    with pytest.raises(UserError, match="has no class 'ten'"):
        load_dataset("digits", classes={"fine": "ten"})
    with pytest.raises(UserError, match=r"no label level 'fin': .*fine"):
        load_dataset("digits", classes={"fin": "3"})
    with pytest.raises(UserError, match="has no sample of the classes"):
        make_data().of_classes({"fine": "a", "coarse": "y"})


def unlabeled(count: int = 10) -> Dataset:
    samples = np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1)
    return Dataset(samples, np.empty((count, 0), dtype=np.int64), Taxonomy((), {}, {}))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"samples": np.zeros((48, 1, 4, 4))}, r"toy: samples should be uint8 .*found float64"),
        ({"samples": np.zeros((48, 4, 4), np.uint8)}, r"found uint8 \[48, 4, 4\]"),
        ({"labels": np.zeros(48, int)}, r"integers \[48, 2\], one column per label level; found"),
        ({"labels": np.zeros((48, 3), int)}, r"found int64 \[48, 3\]"),
        ({"labels": np.zeros((47, 2), int)}, r"found int64 \[47, 2\]"),
        ({"labels": np.zeros((48, 2))}, r"found float64 \[48, 2\]"),
        (
            {"labels": np.full((48, 2), 2)},
            "label 2 of level 'coarse' is outside the taxonomy, which has classes 0 to 1",
        ),
        ({"labels": np.full((48, 2), -2)}, "label -2 of level 'fine' is outside the taxonomy"),
    ],
)
def test_refused(changes, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        replace(make_data(), **changes)


def test_missing_labels_are_allowed() -> None:
    data = replace(make_data(), labels=np.full((48, 2), -1, dtype=np.int32))
    assert data.labels.dtype == np.int64
    assert data.class_counts()["coarse"] == {"x": 0, "y": 0}


def test_facts() -> None:
    data = make_data(48, (3, 4, 6))
    assert (len(data), data.shape) == (48, (3, 4, 6))
    assert data.class_counts() == {
        "fine": {"a": 12, "b": 12, "c": 12, "d": 12},
        "coarse": {"x": 24, "y": 24},
    }
    assert data.warnings() == []
    with pytest.raises(UserError, match=r"no label level 'corse': did you mean 'coarse'\?"):
        data.labels_of("corse")


def test_fingerprint_follows_contents() -> None:
    data = make_data()
    assert data.fingerprint == make_data().fingerprint
    pixels = data.samples.copy()
    pixels[-1, 0, -1, -1] ^= 1
    labels = data.labels.copy()
    labels[0, 1] = -1
    renamed = Taxonomy.from_dict({**data.taxonomy.to_dict(), "parents": {}})
    others = [
        replace(data, samples=pixels, stored_fingerprint=None),
        replace(data, labels=labels, stored_fingerprint=None),
        replace(data, taxonomy=renamed, stored_fingerprint=None),
        data.select(np.arange(47)),
        make_data(48, (1, 8, 32)),
    ]
    assert len({data.fingerprint, *(other.fingerprint for other in others)}) == 6


# The same classes in another order


def test_another_order_of_the_same_names() -> None:
    data = make_data()
    stored = Taxonomy(
        ("fine", "coarse"),
        {"fine": ("d", "a", "c", "b"), "coarse": ("y", "x")},
        {"fine": ("coarse", (0, 1, 0, 1))},
    )
    for other in (data.in_order_of(stored), data.with_taxonomy(stored)):
        assert other.taxonomy == stored
        for level in stored.levels:
            was, now = data.taxonomy.classes[level], stored.classes[level]
            assert [was[i] for i in data.labels_of(level)] == [
                now[i] for i in other.labels_of(level)
            ]
    assert data.in_order_of(stored).in_order_of(data.taxonomy).fingerprint == data.fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"classes": {"fine": ["a", "b", "c", "e"], "coarse": ["x", "y"]}},
        {"parents": {"fine": {"level": "coarse", "index": [1, 1, 0, 0]}}},
        {"parents": {}},
    ],
)
def test_another_meaning_is_no_other_order(changes) -> None:
    data = make_data()
    other = Taxonomy.from_dict({**data.taxonomy.to_dict(), **changes})
    assert data.in_order_of(other) is data


# Subsets


def test_stratified_subset_keeps_shares() -> None:
    data = make_data(48)
    skewed = data.select(np.flatnonzero((data.labels[:, 0] == 0) | (np.arange(48) < 24)))
    assert list(skewed.class_counts()["fine"].values()) == [12, 6, 6, 6]
    half = skewed.subset(0.5)
    assert list(half.class_counts()["fine"].values()) == [6, 3, 3, 3]
    assert len(skewed.subset(7)) == 7


def test_a_stratified_subset_goes_by_the_finest_label_that_a_sample_has() -> None:
    """Of whatever level: another image set's, or a coarser one."""
    data = make_data(48)
    rows = np.full((48, 2), -1)
    rows[:24, 0], rows[24:36, 1] = 0, 0
    rows[36:44, 1] = 1
    levels = {"this": ("a", "b"), "that": ("a", "b")}
    half = Dataset(data.samples, rows, Taxonomy(tuple(levels), levels, {})).subset(0.5)
    found = Counter(map(tuple, half.labels.tolist()))
    assert found == {(0, -1): 12, (-1, 0): 6, (-1, 1): 4, (-1, -1): 2}


def test_a_stratified_choice_is_what_it_always_was() -> None:
    """Recorded choices: a subset of a seed stays the same images."""
    labels = np.array([3, 2, 1, 0, 0, -1, -1, -1, -1, 3, 2, 3, 1, 2, 3, 2, 2, 1, 1, 3])
    chosen = stratified_choice(labels, 7, np.random.default_rng(1))
    assert chosen.tolist() == [7, 3, 12, 1, 10, 9, 14]
    assert labels[chosen].tolist() == [-1, 0, 1, 2, 2, 3, 3]


def test_unstratified_subset_does_not() -> None:
    data = make_data(400)
    stratified = {tuple(data.subset(100, seed=s).class_counts()["fine"].values()) for s in range(4)}
    free = {
        tuple(data.subset(100, stratified=False, seed=s).class_counts()["fine"].values())
        for s in range(4)
    }
    assert stratified == {(25, 25, 25, 25)}
    assert len(free) > 1


@pytest.mark.parametrize("stratified", [True, False])
def test_subset_is_seeded_in_order_and_without_repeats(stratified: bool) -> None:
    data = unlabeled(200)
    one = data.subset(0.25, stratified, seed=3)
    assert one.fingerprint == data.subset(50, stratified, seed=3).fingerprint
    assert one.fingerprint != data.subset(50, stratified, seed=4).fingerprint
    values = one.samples.ravel().astype(int)
    assert (np.diff(values) > 0).all()


def test_whole_subset() -> None:
    data = make_data()
    assert data.subset(1.0).fingerprint == data.fingerprint
    assert len(data.subset(1)) == 1
    assert len(data.subset(48)) == 48


@pytest.mark.parametrize("amount", [0, -1, 49, 0.0, -0.5, 1.5, 1e-6, float("nan"), float("inf")])
def test_subset_out_of_range(amount: float) -> None:
    with pytest.raises(UserError, match=r"toy has 48 samples; take a share in \(0, 1\] or a whole"):
        make_data().subset(amount)


def test_subset_through_load_dataset_and_its_spec() -> None:
    data = load_dataset("digits", subset=100, seed=5)
    assert len(data) == 100
    assert load_dataset(**data.spec).fingerprint == data.fingerprint
    assert len(data.load_split("test")) == 359
    with pytest.raises(UserError, match="digits has 1438 samples"):
        load_dataset("digits", subset=2000)


def test_no_other_split_of_bare_arrays() -> None:
    with pytest.raises(UserError, match="was made from arrays, and has no other split"):
        unlabeled().load_split("test")


# Other taxonomies


def test_with_taxonomy_follows_from_the_finest_labels() -> None:
    data = make_data()
    own = data.taxonomy.with_file({"kind": {"a": "p", "b": "q", "c": "p", "d": "q"}})
    other = data.with_taxonomy(own)
    assert other.taxonomy.levels == ("fine", "kind")
    np.testing.assert_array_equal(other.labels_of("kind"), data.labels_of("fine") % 2)
    assert other.fingerprint != data.fingerprint


def test_with_taxonomy_of_other_classes() -> None:
    other = Taxonomy(("fine",), {"fine": ("p", "q")}, {})
    with pytest.raises(UserError, match="toy: the other taxonomy has other finest classes"):
        make_data().with_taxonomy(other)


def test_same_labels() -> None:
    data = make_data().with_same_labels("fine", "again")
    np.testing.assert_array_equal(data.labels_of("again"), data.labels_of("fine"))
    assert data.taxonomy.chain == ("fine", "again", "coarse")
    np.testing.assert_array_equal(data.labels_of("coarse"), make_data().labels_of("coarse"))


# Warnings


def test_warnings() -> None:
    data = make_data()
    assert "only unconditional" in unlabeled().warnings()[0]
    labels = data.labels.copy()
    labels[:6, 1] = -1
    labels[labels[:, 0] == 3, 0] = 2
    found = replace(data, labels=labels).warnings()
    assert found == [
        "1 classes of level 'fine' have no sample here.",
        "6 of 48 samples have no label of level 'coarse'.",
    ]
    labels[:, 1] = 0
    assert "'coarse' has one class in these" in replace(data, labels=labels).warnings()[1]
    labels[:, 1] = -1
    assert "'coarse' has no label in these" in replace(data, labels=labels).warnings()[1]
