"""What a card says of the data beside its numbers."""

from dataclasses import replace

import numpy as np
import pytest

from mtgan.data import Dataset, Taxonomy
from mtgan.evaluation import evaluate

PLAIN = {"corruptions": False, "resamples": 0, "features": "pixels", "metrics": "frechet_distance"}


@pytest.fixture(scope="module")
def images():
    """400 different images, 8 x 8."""
    random = np.random.default_rng(0)
    return random.integers(0, 256, (400, 1, 8, 8), dtype=np.uint8)


def unlabeled(images, name="set"):
    none = np.empty((len(images), 0), dtype=np.int64)
    return Dataset(images, none, Taxonomy((), {}, {}), name=name, split="all")


def shared(samples, reference, **options):
    card = evaluate(samples, unlabeled(reference), **(PLAIN | options))
    return [note for note in card.notes if "identical" in note or "as well" in note]


def test_a_set_against_itself_says_so(images):
    """Half of the reference is held out, so that two draws of one set are compared."""
    (note,) = shared(images, images)
    assert note == (
        "400 of 400 samples are identical to real images: 200 to images of the reference (all "
        "split), 200 to held-out ones; these are draws from one set"
    )


def test_overlapping_sets_are_counted(images):
    mine = np.concatenate([images[:12], images[300:] ^ 255])
    (note,) = shared(mine, images[:200], heldout=images[200:300])
    assert note == (
        "12 of 112 samples are identical to real images: 12 to images of the reference (all split)"
    )
    assert shared(images[300:], images[:100], heldout=images[100:200]) == []


def test_held_out_images_that_are_in_the_reference_are_counted(images):
    notes = shared(images[300:], images[:100], heldout=images[50:150])
    assert notes == [
        "50 of 100 held-out images are in the reference as well: what real data get is too good"
    ]


def test_the_splits_of_a_data_set_against_each_other(digits, unseen):
    assert shared(unseen.samples[::-1], digits.samples, heldout=unseen.samples[:64]) != []
    card = evaluate(digits.samples, digits, protocol="training", features="pixels")
    assert any("1,438 of 1,438 samples are identical" in note for note in card.notes)
    assert any("(train split)" in note for note in card.notes)


def test_levels_without_two_classes_are_named(digits, unseen):
    flat = digits.labels.copy()
    flat[:, 1] = 0
    one = replace(digits, labels=flat, stored_fingerprint=None, spec={})
    card = evaluate(unseen.samples, one, heldout=unseen, **PLAIN)
    assert any("left out: coarse" in note for note in card.notes)


def test_an_axis_says_what_it_is_without(images):
    """Of a reference of equal images no floor can be told from real data."""
    same = np.repeat(images[:1], 200, axis=0)
    card = evaluate(images[:100], unlabeled(same), **(PLAIN | {"metrics": "density_coverage"}))
    assert any(note.startswith("not in their axis, real data and floor") for note in card.notes)
