import warnings

import numpy as np
import pytest

from mtgan.errors import UserError
from mtgan.evaluation.metrics.frechet_distance import frechet_distance
from mtgan.evaluation.metrics.intra_class_frechet import intra_class_frechet
from mtgan.evaluation.pairwise.arrays import SmallSampleWarning


def test_equals_frechet_distance_class_by_class(modes):
    (x, labels), (y, real_labels) = modes(seed=1), modes(seed=2)
    found = intra_class_frechet(x, labels, y, real_labels)
    expected = {c: frechet_distance(x[labels == c], y[real_labels == c]) for c in range(10)}
    assert found.per_class == pytest.approx(expected, rel=1e-9)
    assert found.mean == pytest.approx(np.mean(list(expected.values())))
    assert found.worst == max(found.per_class.values()) == found.per_class[found.worst_class]
    assert set(found.counts.values()) == {50}
    assert float(found) == found.mean


def test_sees_swapped_classes_that_the_global_distance_hides(modes):
    (x, labels), (y, real_labels) = modes(seed=1), modes(seed=2)
    swapped = labels.copy()
    swapped[labels == 3], swapped[labels == 7] = 7, 3
    good = intra_class_frechet(x, labels, y, real_labels)
    bad = intra_class_frechet(x, swapped, y, real_labels)
    assert {c for c in range(10) if bad.per_class[c] > 5 * good.per_class[c]} == {3, 7}
    assert bad.worst_class in (3, 7)
    assert bad.mean > 2 * good.mean


def test_grows_with_the_share_of_wrong_labels(modes):
    (x, labels), (y, real_labels) = modes(seed=1), modes(seed=2)
    generator = np.random.default_rng(0)
    means = []
    for share in (0, 0.2, 0.5, 1):
        wrong = generator.random(len(labels)) < share
        given = np.where(wrong, generator.permutation(labels), labels)
        means.append(intra_class_frechet(x, given, y, real_labels).mean)
    assert means == sorted(means)
    assert means[-1] > 10 * means[0]


def test_classes_are_cut_to_one_count(modes):
    (x, labels), (y, real_labels) = modes(seed=1), modes(seed=2)
    keep = (labels != 0) | (np.arange(500) < 200)
    cut = intra_class_frechet(x[keep], labels[keep], y, real_labels)
    assert set(cut.counts.values()) == {20}
    whole = intra_class_frechet(x[keep], labels[keep], y, real_labels, equal_counts=False)
    assert whole.counts == {0: 20, **dict.fromkeys(range(1, 10), 50)}
    assert cut.per_class[5] > whole.per_class[5]
    few = intra_class_frechet(x, labels, y, real_labels, per_class=30)
    assert set(few.counts.values()) == {30}
    assert few == intra_class_frechet(x, labels, y, real_labels, per_class=30)


def test_unknown_labels_are_left_out(modes):
    (x, labels), (y, real_labels) = modes(seed=1), modes(seed=2)
    more, unknown = np.concatenate([x, x + 50]), np.concatenate([labels, np.full(500, -1)])
    assert intra_class_frechet(more, unknown, y, real_labels).mean == pytest.approx(
        intra_class_frechet(x, labels, y, real_labels).mean, rel=1e-9
    )


def test_one_warning_for_small_classes(draw):
    labels = np.arange(300) % 30
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        intra_class_frechet(draw(seed=1), labels, draw(seed=2), labels)
    assert [each.category for each in caught] == [SmallSampleWarning]


def test_absent_and_foreign_classes(modes):
    (x, labels), (y, real_labels) = modes(seed=1), modes(seed=2)
    with pytest.raises(UserError, match="Class 4 has 0 samples and 50 reference points"):
        intra_class_frechet(x[labels != 4], labels[labels != 4], y, real_labels)
    with pytest.raises(UserError, match=r"reference lacks: \[10\]"):
        intra_class_frechet(x, np.where(labels == 4, 10, labels), y, real_labels)
    with pytest.raises(UserError, match="499 entries for 500"):
        intra_class_frechet(x, labels[:-1], y, real_labels)
    with pytest.raises(UserError, match="smallest class has 50"):
        intra_class_frechet(x, labels, y, real_labels, per_class=51)
    with pytest.raises(UserError, match="integer labels"):
        intra_class_frechet(x, labels + 0.5, y, real_labels)
