"""Measures per label level, and the same truth on two data sets."""

import itertools

import numpy as np
import pytest

from mtgan.data import load_dataset
from mtgan.evaluation import evaluate
from mtgan.evaluation.damages import rows_of_classes
from mtgan.evaluation.scoring import overall
from mtgan.evaluation.sets import draw

PLAIN = {"ladder": False, "resamples": 0}
LEVELS = "conditional_accuracy,superclass_consistency,intra_class_frechet,mode_diversity"


@pytest.fixture(scope="module")
def real(digits, unseen):
    return evaluate(unseen.samples, digits, labels=unseen.labels, metrics=LEVELS, **PLAIN)


def renamed(labels: np.ndarray, step: int) -> np.ndarray:
    """Digits asked for as the one `step` further; the parity follows."""
    fine = (labels[:, 0] + step) % 10
    coarse = np.array([labels[labels[:, 0] == digit, 1][0] for digit in range(10)])
    return np.stack([fine, coarse[fine]], axis=1)


@pytest.mark.parametrize(("step", "inside"), [(2, True), (1, False)])
def test_mistakes_inside_and_outside_the_superclass(digits, unseen, real, step, inside):
    """Every digit shows another one: of the same parity, or of the other."""
    labels = renamed(unseen.labels, step)
    card = evaluate(unseen.samples, digits, labels=labels, metrics=LEVELS, **PLAIN)
    assert card["conditional_accuracy/fine"] < 0.05
    assert card["conditional_accuracy/coarse"] == pytest.approx(float(inside), abs=0.05)
    assert card["mistakes_inside/fine"] == pytest.approx(float(inside), abs=0.1)
    assert card["intra_class_frechet/fine"] > 10 * real["intra_class_frechet/fine"]
    ratio = card["intra_class_frechet/coarse"] / real["intra_class_frechet/coarse"]
    assert ratio == pytest.approx(1, rel=0.05) if inside else ratio > 5


def test_a_superclass_of_one_class_has_lost_diversity(digits, unseen, real):
    """All even digits are zeros: each class varies as it should, the superclass does not."""
    fine, coarse = unseen.labels.T
    rows = np.flatnonzero((coarse != coarse[fine == 0][0]) | (fine == 0))
    card = evaluate(unseen.samples[rows], digits, metrics=LEVELS, **PLAIN)
    names = dict(zip(fine, coarse, strict=True))
    even = digits.taxonomy.classes["coarse"][names[0]]
    odd = digits.taxonomy.classes["coarse"][names[1]]
    within = card.details["superclass_diversity/coarse"]
    assert within[even] < 0.75
    assert within[odd] == pytest.approx(1, abs=0.1)
    assert card["superclass_diversity/coarse"] < real["superclass_diversity/coarse"] - 0.1


def test_one_collapsed_class_is_found_by_name(digits, unseen, real):
    images = unseen.samples.copy()
    sevens = np.flatnonzero(unseen.labels[:, 0] == 7)
    images[sevens] = images[sevens[0]]
    card = evaluate(images, digits, labels=unseen.labels, metrics=LEVELS, **PLAIN)
    diversity = card.details["mode_diversity"]
    assert min(diversity, key=diversity.get) == "7"
    assert diversity["7"] < 0.5 * real.details["mode_diversity"]["7"]
    assert card["worst_class_frechet/fine"] == card.details["intra_class_frechet/fine"]["7"]


def test_absent_classes_are_left_out_of_the_means(digits, unseen):
    rows = np.flatnonzero(unseen.labels[:, 0] < 8)
    card = evaluate(
        unseen.samples[rows], digits, labels=unseen.labels[rows], metrics=LEVELS, **PLAIN
    )
    within = card.details["intra_class_frechet/fine"]
    assert set(within) == set("01234567")
    assert card["intra_class_frechet/fine"] == pytest.approx(np.mean(list(within.values())))
    assert card.details["mode_diversity"]["9"] == 0
    assert any("2 classes of fine: 8, 9" in note for note in card.notes)


def test_one_truth_on_two_data_sets():
    """Classes go one by one: the figure falls each time, and alike for digits and clothes. (Of
    pixels a card gives none; the arithmetic is the same.)"""
    falls = []
    for name in ("digits", "fashion-mnist-10k"):
        data = load_dataset(name)
        unseen = data.load_split("test")
        free = np.setdiff1d(np.arange(len(data)), draw(len(data), 300, 0, 1))
        images = np.concatenate([unseen.samples[:300], data.samples[free]])
        modes = np.concatenate([unseen.labels[:300, 0], data.labels[free, 0]])
        overalls = []
        for kept in range(10, 2, -1):
            rows = rows_of_classes(modes, np.arange(kept), 300, np.random.default_rng(0))
            card = evaluate(
                images[rows],
                data,
                n=300,
                features="pixels-pca",
                metrics="frechet_distance,kernel_distance,precision_recall,density_coverage,"
                "mode_imbalance,mode_diversity",
                **PLAIN,
            )
            overalls.append(overall({name: axis.score for name, axis in card.axes.items()}))
        assert all(a > b for a, b in itertools.pairwise(overalls)), (name, overalls)
        falls.append(overalls)
    np.testing.assert_allclose(*falls, atol=0.15)
