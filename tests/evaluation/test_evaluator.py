"""One evaluator for many sets: what training repeats, and any metrics by name."""

import numpy as np
import pytest
import torch

from mtgan.data.samples import Samples
from mtgan.errors import UserError
from mtgan.evaluation import Evaluator, QuickEvaluator, evaluate
from mtgan.evaluation.calibration.corruptions import corrupt_images


@pytest.fixture(scope="module")
def evaluator(digits):
    return Evaluator(digits, n=300)


def test_real_data_are_near_and_noise_is_far(evaluator, unseen):
    real = evaluator(unseen.samples, unseen.labels)
    assert set(real) == {
        "frechet_distance",
        "inception_score",
        *(f"accuracy/{level}" for level in unseen.taxonomy.levels),
    }
    assert real["accuracy/fine"] > 0.95
    assert real["inception_score"] > 8
    values = [
        evaluator(corrupt_images("noise", unseen.samples, strength))["frechet_distance"]
        for strength in (0, 0.1, 0.2, 0.4)
    ]
    assert values[0] == real["frechet_distance"]
    assert values[0] < values[1] < values[2] < values[3]
    assert values[3] > 20 * values[0]


def test_no_labels_no_accuracy(evaluator, unseen):
    assert set(evaluator(unseen.samples)) == {"frechet_distance", "inception_score"}
    partly = np.full_like(unseen.labels, -1)
    partly[:100, 0] = unseen.labels[:100, 0]
    assert "accuracy/coarse" not in evaluator(unseen.samples, partly)
    assert evaluator(unseen.samples, partly)["accuracy/fine"] > 0.9


def test_global_randomness_is_untouched(digits, unseen):
    torch.manual_seed(3)
    np.random.seed(3)
    before, legacy = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    Evaluator(digits, n=100, seed=0)(unseen.samples, unseen.labels)
    assert torch.equal(torch.random.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], legacy)


def test_protocol_says_how(evaluator):
    protocol = evaluator.protocol
    assert protocol["generated"] == protocol["reference"] == 300
    assert protocol["features"] == "classifier"
    assert protocol["dataset"] == "digits"
    assert protocol["split"] == "train"


def test_small_references_and_other_features(tiny, unlabeled):
    assert Evaluator(tiny, n=1000, features="pixels").n == 64
    found = Evaluator(unlabeled, n=50, features="pixels")(unlabeled.samples)
    assert set(found) == {"frechet_distance"}


def test_refusals(evaluator, unseen):
    with pytest.raises(UserError, match="299 samples are fewer than the 300"):
        evaluator(unseen.samples[:299])
    with pytest.raises(UserError, match=r"1 x 9 x 8 .* reference is 1 x 8 x 8"):
        evaluator(np.zeros((300, 1, 9, 8), np.uint8))
    with pytest.raises(UserError, match="these are float32"):
        evaluator(unseen.samples.astype(np.float32))
    with pytest.raises(UserError, match="classes 0 to 9"):
        evaluator(unseen.samples, np.full_like(unseen.labels, 10))


def test_metrics_by_name_are_those_of_a_card(digits, unseen):
    evaluator = Evaluator(digits, "kid,conditional_accuracy", n=300)
    card = evaluator(unseen.samples, unseen.labels)
    assert list(card) == [
        *(f"conditional_accuracy/{level}" for level in unseen.taxonomy.levels),
        "kernel_distance",
    ]
    assert card.protocol.as_dict() == evaluator.protocol
    assert (
        card["conditional_accuracy/fine"]
        == Evaluator(digits, n=300)(unseen.samples, unseen.labels)["accuracy/fine"]
    )
    with pytest.raises(UserError, match="no metric 'fad'"):
        Evaluator(digits, ["fad"])


def test_the_old_name_gives_the_same_numbers_and_says_the_new_one(digits, unseen, evaluator):
    with pytest.warns(DeprecationWarning, match=r"mtgan\.evaluation\.Evaluator"):
        old = QuickEvaluator(digits, 300)
    assert old(unseen.samples, unseen.labels) == dict(evaluator(unseen.samples, unseen.labels))
    assert old.protocol == evaluator.protocol


def test_a_generated_set_keeps_the_conditioning_axis(digits, unseen):
    """What Run.sample gives knows the labels that were asked for."""
    rows = np.arange(300)
    samples = Samples.of(
        unseen.samples[rows].copy(),
        np.asarray(unseen.labels[rows]),
        unseen.taxonomy,
        0,
        np.zeros((300, 2), np.float32),
        (),
    )
    card = evaluate(samples, reference=digits, metrics="conditional_accuracy", resamples=0)
    assert {f"conditioning/{level}" for level in digits.taxonomy.levels} <= card.axes.keys()
    plain = evaluate(np.asarray(samples), digits, metrics="conditional_accuracy", resamples=0)
    assert not plain.axes
