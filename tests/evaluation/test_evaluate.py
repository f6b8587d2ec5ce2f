"""Known truths: what the card says of sets whose quality is known, on 8 x 8 digits."""

import itertools
import math

import numpy as np
import pytest
from benchmarks.corruptions import foreign_images

from mtgan.errors import UserError
from mtgan.evaluation import Scorecard, evaluate
from mtgan.evaluation.calibration.corruptions import corrupt_images, image_corruptions
from mtgan.evaluation.calibration.corruptions.missing_modes import rows_of_classes
from mtgan.evaluation.calibration.corruptions.wrong_labels import wrong_labels
from mtgan.evaluation.data import draw
from mtgan.evaluation.metrics import chosen_metrics

FEW = {"resamples": 4, "corruptions": False}
RANDOM = 7

SCORED = [item.name for item in chosen_metrics(["default"]) if item.resampled]
"""Measures that count for an axis: the others would only take time here."""

STRENGTHS = {"noise": (0, 0.1, 0.2, 0.3)}
"""Of corruptions of images; 8 x 8 pixels are soon lost in noise."""


@pytest.fixture(scope="module")
def judge(digits):
    """Evaluate against the digits; the reference's calibration is measured once."""

    def run(samples, labels=None, **options) -> Scorecard:
        return evaluate(samples, digits, labels=labels, **(FEW | options))

    return run


@pytest.fixture(scope="module")
def real(judge, unseen) -> Scorecard:
    return judge(unseen.samples, unseen.labels)


def of_classes(data, kept: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    rows = np.flatnonzero(data.labels[:, 0] < kept)
    rows = np.random.default_rng(RANDOM).choice(rows, count, replace=len(rows) < count)
    return data.samples[rows], data.labels[rows]


def test_real_data_score_one(real):
    assert real.overall == pytest.approx(1, abs=0.02)
    assert all(axis.score > 0.97 for axis in real.axes.values())
    assert set(real.axes) == {
        "distribution",
        "fidelity",
        "modes",
        "diversity",
        "conditioning/fine",
        "conditioning/coarse",
        "authenticity",
    }
    assert real.gate == pytest.approx(1)


def test_every_number_carries_its_protocol(real, unseen):
    assert real.protocol.generated == real.protocol.reference == len(unseen)
    assert all(entry.samples == len(unseen) for entry in real.entries.values())
    assert real.entries["frechet_distance"].space == "classifier"
    assert real.entries["spectrum_distance"].space == "pixels"
    assert any("judge: classifier, right on 0.9" in line for line in real.judge)
    assert not any("fid" in name.lower() for name in real), "no FID without Inception"


def test_same_seed_same_card(judge, unseen, real):
    assert judge(unseen.samples, unseen.labels).to_json() == real.to_json()


def test_intervals_hold_the_value(real):
    for name in ("frechet_distance", "precision", "recall"):
        low, high = real.entries[name].interval
        assert low < real[name] < high
    low, high = real.interval
    assert low <= real.overall <= high


def test_noise_has_no_fidelity(judge, unseen):
    card = judge(corrupt_images("noise", unseen.samples, 1), unseen.labels)
    assert card.axes["fidelity"].score < 0.1
    assert card.overall < 0.1


def test_lost_modes_cost_diversity_and_keep_precision(judge, unseen, real):
    card = judge(*of_classes(unseen, 5, len(unseen)))
    assert card["recall"] < 0.7 * real["recall"]
    assert card["coverage"] < 0.7 * real["coverage"]
    assert card["precision"] > real["precision"] - 0.06
    assert card["mode_imbalance"] == pytest.approx(0.5, abs=0.06)
    assert card.axes["diversity"].score < 0.75
    assert card.axes["conditioning/fine"].score > card.axes["diversity"].score


def test_the_card_falls_class_by_class(judge, digits, unseen):
    """Equal N without repeats: unseen digits first, then training digits outside the reference.

    Those are copies, of course: authenticity is left out.
    """
    count = len(unseen)
    free = np.setdiff1d(np.arange(len(digits)), draw(len(digits), count, 0, 1))
    images = np.concatenate([unseen.samples, digits.samples[free]])
    labels = np.concatenate([unseen.labels, digits.labels[free]])
    measures = [name for name in SCORED if name != "authenticity"]
    cards = []
    for kept in (10, 9, 8, 7, 6, 5, 4, 3):
        rows = rows_of_classes(labels[:, 0], np.arange(kept), count, np.random.default_rng(0))
        assert len(np.unique(rows)) == count
        cards.append(judge(images[rows], labels[rows], metrics=measures))
    overalls = [card.overall for card in cards]
    assert all(a - b > 0.01 for a, b in itertools.pairwise(overalls)), overalls
    shares = [card["mode_imbalance"] for card in cards]
    assert shares == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], abs=0.07)
    assert all(card.axes["fidelity"].score > 0.8 for card in cards)


def test_copies_shut_the_gate(judge, digits, unseen, real):
    def share_of_copies(share):
        count = round(share * len(unseen))
        images = unseen.samples.copy()
        images[:count] = digits.samples[:count]
        labels = unseen.labels.copy()
        labels[:count] = digits.labels[:count]
        return judge(images, labels)

    cards = [share_of_copies(share) for share in (0.3, 0.6, 1.0)]
    values = [real["authenticity"], *(card["authenticity"] for card in cards)]
    assert all(a > b for a, b in itertools.pairwise(values))
    assert cards[-1]["authenticity"] == 0
    assert cards[-1].overall == 0
    assert cards[-1].axes["distribution"].score > 0.9, "nothing else sees copies"


def test_wrong_labels_cost_conditioning_alone(judge, unseen, real):
    scores = []
    for share in (0.25, 0.5, 1):
        labels = wrong_labels(unseen.labels, share, np.random.default_rng(0))
        card = judge(unseen.samples, labels)
        scores.append(card.axes["conditioning/fine"].score)
        assert card.axes["fidelity"].score == pytest.approx(real.axes["fidelity"].score)
        assert card["frechet_distance"] == real["frechet_distance"]
    assert scores[0] > scores[1] > scores[2]
    assert scores[2] < 0.1


def test_global_distances_hide_swapped_classes(judge, unseen, real):
    labels = unseen.labels.copy()
    labels[:, 0] = (labels[:, 0] + 1) % 10
    card = judge(unseen.samples, labels)
    assert card["frechet_distance"] == real["frechet_distance"]
    assert card["intra_class_frechet/fine"] > 10 * real["intra_class_frechet/fine"]
    assert card["conditional_accuracy/fine"] < 0.1


@pytest.mark.parametrize("name", [*image_corruptions(), "foreign images"])
def test_overall_falls_with_every_disturbance(judge, unseen, name):
    """The disturbances of Heusel et al. 2017 (Figure 3.1 of the thesis shows their blur)."""
    foreign = np.random.default_rng(0).permuted(unseen.samples[:, :, ::-1], axis=3)
    overalls = []
    for strength in STRENGTHS.get(name, (0, 0.3, 0.5, 0.8)):
        if name == "foreign images":
            random = np.random.default_rng(1)
            images = foreign_images(unseen.samples, foreign, strength, random)
        else:
            images = corrupt_images(name, unseen.samples, strength)
        overalls.append(judge(images, unseen.labels, metrics=SCORED).overall)
    assert all(a > b for a, b in itertools.pairwise(overalls)), overalls
    assert overalls[-1] < 0.6


def test_without_labels_there_is_no_conditioning(judge, unseen):
    card = judge(unseen.samples)
    assert not any(axis.startswith("conditioning") for axis in card.axes)
    assert card.overall == pytest.approx(1, abs=0.02)
    assert any("samples have no labels" in note for note in card.notes)


def test_corruption_levels_read_the_axes(digits, unseen):
    samples, labels = of_classes(unseen, 7, 150)
    card = evaluate(samples, digits, labels=labels, metrics=SCORED, resamples=2, n=150)
    names = {level.corruption for level in card.corruption_levels}
    assert names == {"missing modes", "noise", "blur", "repeats", "wrong labels", "copies"}
    assert "3 of 10 classes missing" in card.axes["modes"].reading
    for name in names - {"wrong labels"}:
        overalls = [level.overall for level in card.corruption_levels if level.corruption == name]
        assert overalls[-1] < overalls[0], name
    assert Scorecard.from_json(card.to_json()).corruption_levels == card.corruption_levels


def test_details_by_class(real, digits):
    names = set(digits.taxonomy.classes["fine"])
    for key in ("conditional_accuracy/fine", "intra_class_frechet/fine", "mode_diversity"):
        assert set(real.details[key]) == names
    assert np.mean(list(real.details["mode_diversity"].values())) == pytest.approx(
        real["mode_diversity"]
    )


def test_absent_classes_are_named(judge, unseen):
    card = judge(*of_classes(unseen, 8, 200))
    assert any("no sample was asked for 2 classes of fine: 8, 9" in note for note in card.notes)


def test_chosen_metrics_only(judge, unseen):
    card = judge(unseen.samples, metrics="frechet_distance, precision_recall")
    assert set(card) == {"frechet_distance", "precision", "recall"}
    with pytest.raises(UserError, match="no metric 'fad': choose from"):
        judge(unseen.samples, metrics="fad")


def test_all_measures(judge, unseen):
    pytest.importorskip("gudhi")
    card = judge(unseen.samples, unseen.labels, metrics="all", n=100, resamples=0)
    assert {"prd_recall", "geometry_score", "data_copying", "memorization_fid"} <= set(card)
    assert {"pixel_copies", "ms_ssim_within/fine", "inception_score/coarse"} <= set(card)
    assert all(math.isfinite(value) for value in card.values())


def test_other_protocols(digits, unseen):
    card = evaluate(unseen.samples, digits, protocol="training")
    assert card.overall is None
    assert card.axes == {}
    assert set(card) >= {"frechet_distance", "inception_score/fine"}
    with pytest.raises(UserError, match="exactly 10,000 generated samples, not 359"):
        evaluate(unseen.samples, digits, protocol="fid-10k-test", features="pixels")


def test_reference_without_another_split(tiny):
    samples = np.concatenate([tiny.samples] * 3)
    rich = type(tiny)(samples, np.concatenate([tiny.labels] * 3), tiny.taxonomy, "rich", "all")
    noise = np.random.default_rng(0).integers(0, 9, samples.shape).astype(np.uint8)
    rich.samples = samples + noise
    card = evaluate(rich.samples[:96], rich, features="pixels", resamples=2, corruptions=False)
    assert card.protocol.generated == 96
    assert any("half of the reference" in note for note in card.notes)


def test_unlabeled_reference_uses_clusters(unlabeled):
    card = evaluate(
        unlabeled.samples,
        unlabeled,
        heldout=unlabeled.samples[::-1].copy(),
        features="pixels",
        metrics="mode_imbalance",
        resamples=2,
    )
    assert "mode_imbalance" in card
    assert any("clusters missing" in level.amount for level in card.corruption_levels)


def test_few_samples_warn(digits, unseen):
    card = evaluate(unseen.samples, digits, n=100, resamples=0, corruptions=False)
    assert any("biased upward" in note for note in card.notes)


def test_too_few_for_scores_are_measured_without(digits, unseen):
    for count, scored in ((20, False), (63, False), (64, True)):
        card = evaluate(unseen.samples[:count], digits, resamples=0, corruptions=False)
        assert (card.overall is not None) == scored
        assert any(note.startswith(f"no scores: {count} samples") for note in card.notes) != scored
        assert card.entries["frechet_distance"].samples == count


def test_refusals(digits, unseen, tiny):
    with pytest.raises(UserError, match=r"1 x 8 x 8 .* reference is 3 x 16 x 16"):
        evaluate(unseen.samples, tiny)
    with pytest.raises(UserError, match="1 samples of each set are too few"):
        evaluate(unseen.samples[:1], digits)
    with pytest.raises(UserError, match="no protocol 'fid'"):
        evaluate(unseen.samples, digits, protocol="fid")
    with pytest.raises(UserError, match="classes 0 to 9"):
        evaluate(unseen.samples, digits, labels=np.full(len(unseen), 10))
    with pytest.raises(UserError, match="1 x 8 x 8"):
        evaluate(unseen.samples, digits, heldout=np.zeros((400, 1, 9, 9), np.uint8))
