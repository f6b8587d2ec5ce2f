"""Measures per label level, and the same truth on two data sets."""

import itertools

import numpy as np
import pytest

from mtgan.data import load_dataset
from mtgan.evaluation import evaluate
from mtgan.evaluation.calibration.corruptions.missing_modes import rows_of_classes
from mtgan.evaluation.data import draw
from mtgan.evaluation.scorecard.scoring import overall

PLAIN = {"corruptions": False, "resamples": 0}
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
    assert any("left out, fewer than 16 samples on a side: 8 (0), 9 (0)" in n for n in card.notes)
    assert card.details["mode_diversity"]["9"] == 0
    assert any("2 classes of fine: 8, 9" in note for note in card.notes)


def test_two_strays_are_no_class_as_diverse_as_real(digits, unseen):
    """With any classifier that tells the digits apart: two nines among 280 others."""
    fine = unseen.labels[:, 0]
    rows = np.concatenate([np.flatnonzero(fine < 8), np.flatnonzero(fine == 9)[[0, 7]]])
    card = evaluate(unseen.samples[rows], digits, metrics="mode_diversity,ms_ssim", **PLAIN)
    diversity, alike = card.details["mode_diversity"], card.details["ms_ssim_within/fine"]
    assert {name for name, value in diversity.items() if value == 0} == {"8", "9"}
    assert min(diversity[name] for name in "01234567") > 0.8
    assert set(alike) == set("01234567")
    assert card["ms_ssim_within/fine"] == pytest.approx(np.mean(list(alike.values())))
    assert any(
        "ms_ssim_within/fine is over 8 of 10 classes" in n and "8, 9" in n for n in card.notes
    )
    alone = evaluate(unseen.samples[rows], digits, metrics="ms_ssim", **PLAIN)
    assert alone["ms_ssim_within/fine"] == card["ms_ssim_within/fine"]


def test_a_class_that_real_data_hardly_show_is_left_out_by_name(digits, unseen):
    """Of the digit 9 the reference has three images: as good as any would not count as shown."""
    nines = np.flatnonzero(digits.labels[:, 0] == 9)
    few = digits.select(np.setdiff1d(np.arange(len(digits)), nines[3:])[:400])
    options = {"features": "pixels-pca", "metrics": "mode_diversity", **PLAIN}
    card = evaluate(unseen.samples, few, heldout=unseen, **options)
    ratios = card.details["mode_diversity"]
    assert set(ratios) == set("012345678")
    assert card["mode_diversity"] == pytest.approx(np.mean(list(ratios.values())))
    (spoken,) = (note for note in card.notes if note.startswith("mode_diversity is over 9 of 10"))
    assert "no variety of 9" in spoken


def test_two_levels_of_the_same_classes_are_kept_apart(digits, unseen):
    """A control: the level `again` repeats the digits; its labels are dealt anew."""
    double = digits.with_same_labels("fine", "again")
    column = double.taxonomy.levels.index("again")
    double.labels[:, column] = np.random.default_rng(0).permutation(double.labels[:, column])
    options = {"features": "pixels-pca", "metrics": "mode_diversity", **PLAIN}
    held = unseen.with_same_labels("fine", "again")
    card = evaluate(unseen.samples, double, heldout=held, **options)
    assert len(card.details["mode_diversity"]) == 10
    assert len(card.details.get("superclass_diversity/again", {})) < 5, "it shows no classes"


@pytest.mark.parametrize("count", [12, 20])
def test_a_broken_class_is_the_worst_or_is_named(digits, unseen, count):
    """Of class 3 there are so many samples of noise."""
    images, fine = unseen.samples.copy(), unseen.labels[:, 0]
    threes = np.flatnonzero(fine == 3)
    shape = images[threes[:count]].shape
    images[threes[:count]] = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    rows = np.setdiff1d(np.arange(len(images)), threes[count:])
    options = {"metrics": "intra_class_frechet", **PLAIN}
    card = evaluate(images[rows], digits, labels=unseen.labels[rows], **options)
    within = card.details["intra_class_frechet/fine"]
    spoken = next(note for note in card.notes if note.startswith("intra_class_frechet/fine"))
    if count < 16:
        assert "over 9 of 10 classes" in spoken
        assert "3 (12)" in spoken
        assert "3" not in within
    else:
        assert spoken == "intra_class_frechet/fine is over 10 of 10 classes, 20 samples of each"
        assert max(within, key=within.get) == "3"
        assert within["3"] > 5 * sorted(within.values())[-2]


def test_measures_that_cannot_be_had_are_named(digits, unseen):
    """No class of ten has 16 samples; one has a single sample; some samples have no label."""
    labels = np.full_like(unseen.labels, -1)
    for digit in range(10):
        rows = np.flatnonzero(unseen.labels[:, 0] == digit)[: 10 if digit else 1]
        labels[rows, 0] = digit
    metrics = "intra_class_frechet,superclass_consistency,train_on_generated"
    card = evaluate(unseen.samples, digits, labels=labels, metrics=metrics, **PLAIN)
    assert "intra_class_frechet/fine" not in card
    for words in (
        "intra_class_frechet/fine is over 0 of 10 classes; left out",
        "0 (1), 1 (10)",
        "train_on_generated/fine learned nothing of classes of one sample: 0",
        "268 of 359 samples were asked for no class of fine",
        "no sample was asked for a class of coarse",
    ):
        assert any(words in note for note in card.notes), words
    right = evaluate(
        np.repeat(unseen.samples[:1], 64, axis=0),
        digits,
        labels=np.repeat(unseen.labels[:1], 64, axis=0),
        metrics="superclass_consistency",
        features="classifier",
        **PLAIN,
    )
    assert "left out, no sample shows a wrong class: mistakes_inside/fine" in right.notes


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
