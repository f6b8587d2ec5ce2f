import numpy as np
import pytest
from sklearn.metrics import accuracy_score, recall_score

from mtgan.errors import UserError
from mtgan.evaluation.metrics.conditional_accuracy import conditional_accuracy
from mtgan.evaluation.metrics.superclass_consistency import superclass_consistency

PARENTS = np.array([0, 0, 1, 1, 1, 2])


def test_accuracy_equals_sklearn():
    generator = np.random.default_rng(0)
    asked, shown = generator.integers(0, 6, (2, 400))
    shown = np.where(generator.random(400) < 0.6, asked, shown)
    found = conditional_accuracy(shown, asked)
    assert found.value == float(found) == pytest.approx(accuracy_score(asked, shown))
    by_class = recall_score(asked, shown, average=None)
    assert list(found.per_class.values()) == pytest.approx(list(by_class))
    assert found.mean == pytest.approx(by_class.mean())
    assert found.worst == pytest.approx(by_class.min())
    assert found.worst_class == by_class.argmin()


def test_unknown_requests_are_left_out():
    assert conditional_accuracy(np.array([0, 1, 1]), np.array([0, 0, -1])).value == 0.5


def test_consistency_by_hand():
    asked = np.array([0, 0, 2, 2, 3, 5, 5, -1])
    shown = np.array([0, 1, 3, 0, 3, 5, 4, 0])
    found = superclass_consistency(shown, asked, PARENTS)
    assert found.accuracy == pytest.approx(5 / 7)
    assert found.mistakes == 4
    assert found.mistakes_inside == pytest.approx(2 / 4)
    # classes 0, 2, 2, 5 have 1, 2, 2, 0 siblings among the five other classes
    assert found.chance == pytest.approx((1 + 2 + 2 + 0) / 4 / 5)


def test_random_mistakes_fall_inside_by_chance():
    generator = np.random.default_rng(0)
    asked = generator.integers(0, 6, 20_000)
    shown = (asked + generator.integers(1, 6, 20_000)) % 6
    found = superclass_consistency(shown, asked, PARENTS)
    assert found.mistakes == 20_000
    assert found.mistakes_inside == pytest.approx(found.chance, abs=0.02)


def test_without_a_mistake_there_is_no_share():
    asked = np.array([0, 2, 5])
    found = superclass_consistency(asked, asked, PARENTS)
    assert (found.accuracy, found.mistakes, found.mistakes_inside, found.chance) == (
        1,
        0,
        None,
        None,
    )


def test_bad_input():
    with pytest.raises(UserError, match="2 entries for 3 samples"):
        conditional_accuracy(np.zeros(2, int), np.zeros(3, int))
    with pytest.raises(UserError, match="names no class"):
        conditional_accuracy(np.zeros(2, int), np.full(2, -1))
    with pytest.raises(UserError, match="parents covers 6"):
        superclass_consistency(np.array([6, 0]), np.array([0, 0]), PARENTS)
    with pytest.raises(UserError, match="is empty"):
        conditional_accuracy(np.zeros(0, int), np.zeros(0, int))
