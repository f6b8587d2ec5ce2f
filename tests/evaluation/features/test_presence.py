"""Which classes a set shows beyond mistakes: the rule against counted and simulated truths."""

import numpy as np
import pytest
from scipy.stats import binom

from mtgan.evaluation.features.presence import SIGNIFICANCE, present_classes


def confusion(rates: list[list[float]], each: int) -> np.ndarray:
    """So many real samples of each class, put into classes at these rates."""
    return np.rint(np.array(rates) * each).astype(int)


def test_with_known_mistakes_it_is_a_binomial_test():
    """Of 300 samples of class 0, a hundredth is taken for class 1 by mistake: 3 are expected."""
    table = confusion([[0.99, 0.01], [0, 1]], 10**7)
    for count in range(1, 15):
        shown = present_classes(np.array([300 - count, count]), table)
        assert shown[0]
        expected = count > 1 and binom.sf(count - 1, 300, 0.01) <= SIGNIFICANCE
        assert shown[1] == expected, count


def test_two_strays_of_three_hundred_are_no_class():
    """A classifier without a mistake on 360 held-out samples may well make two on others."""
    clean = confusion(np.eye(10).tolist(), 36)
    counts = np.array([36] * 8 + [0, 2])
    assert present_classes(counts, clean).tolist() == [True] * 8 + [False] * 2
    counts[9] = 12
    assert present_classes(counts, clean)[9]


def test_mistakes_are_weighed_by_the_classes_that_the_samples_show():
    """A tenth of the shirts is taken for coats, and of nothing else any."""
    rates = np.eye(5)
    rates[0, :2] = 0.9, 0.1
    table = confusion(rates.tolist(), 1000)
    only_shirts = np.array([900, 100, 0, 0, 0])
    assert present_classes(only_shirts, table).tolist() == [True, False, False, False, False]
    few_shirts = np.array([100, 100, 300, 300, 200])
    assert present_classes(few_shirts, table).all()


def test_few_real_samples_say_little_of_mistakes():
    counts = np.array([24, 4])
    assert not present_classes(counts, confusion(np.eye(2).tolist(), 10))[1]
    assert present_classes(counts, confusion(np.eye(2).tolist(), 1000))[1]


@pytest.mark.parametrize(
    ("counts", "table", "expected"),
    [
        ([50, 0], [[50, 0], [0, 50]], [True, False]),  # all of one class
        ([0, 0], [[50, 0], [0, 50]], [False, False]),
        ([9, 1], [[500, 0], [0, 500]], [True, False]),  # one sample has no spread
        ([30, 30], [[0, 0], [0, 60]], [True, True]),  # a class without real samples
        ([30, 30], [[0, 0], [0, 0]], [True, True]),
        ([30], [[60]], [True]),
    ],
)
def test_ends(counts, table, expected):
    assert present_classes(np.array(counts), np.array(table)).tolist() == expected


def test_an_absent_class_is_rarely_shown_and_a_present_one_nearly_always():
    """Simulated: a weak classifier (right 7 times of 10), 300 real and 300 generated samples."""
    random = np.random.default_rng(0)
    rates = np.full((6, 6), 0.06) + 0.64 * np.eye(6)
    false = missed = 0
    for _ in range(100):
        table = np.stack([random.multinomial(50, row) for row in rates])
        shares = np.array([0, 1, 1, 1, 1, 1]) / 5
        found = present_classes(random.multinomial(300, shares @ rates), table)
        false += found[0]
        missed += (~found[1:]).sum()
    assert false <= 3
    assert missed <= 10
