"""Corruptions do what their names say, alone."""

import itertools

import numpy as np
import pytest

from mtgan.evaluation.calibration.corruptions import corrupt_images, image_corruptions
from mtgan.evaluation.calibration.corruptions.missing_modes import rows_of_classes
from mtgan.evaluation.calibration.corruptions.wrong_labels import wrong_labels
from mtgan.evaluation.calibration.floors import shuffled_pixels


@pytest.fixture
def images() -> np.ndarray:
    y, x = np.mgrid[0:28, 0:36]
    waves = [127 + 100 * np.sin(x / (2 + k % 5) + y / (3 + k % 7)) for k in range(40)]
    return np.stack(waves).astype(np.uint8)[:, None].repeat(3, axis=1)


@pytest.mark.parametrize("name", image_corruptions())
def test_grows_with_strength_and_repeats_with_the_seed(name, images):
    gaps = [
        np.abs(corrupt_images(name, images, s, seed=1).astype(float) - images).mean()
        for s in (0, 0.1, 0.3, 0.6, 1.0)
    ]
    assert gaps[0] == 0
    assert all(a < b for a, b in itertools.pairwise(gaps)), gaps
    again = corrupt_images(name, images, 0.5, seed=1)
    assert again.dtype == np.uint8
    assert again.shape == images.shape
    np.testing.assert_array_equal(again, corrupt_images(name, images, 0.5, seed=1))


def test_blur_is_a_normalized_low_pass(images):
    flat = np.full((2, 1, 16, 16), 93, np.uint8)
    np.testing.assert_array_equal(corrupt_images("blur", flat, 0.7), flat)
    grain = np.random.default_rng(0).integers(0, 256, images.shape, dtype=np.uint8)
    sharp, soft = grain.astype(float), corrupt_images("blur", grain, 0.3).astype(float)
    assert soft.mean() == pytest.approx(sharp.mean(), abs=1)
    assert np.abs(np.diff(soft, axis=3)).mean() < 0.4 * np.abs(np.diff(sharp, axis=3)).mean()


def test_independent_pixels_keep_marginals(images):
    shuffled = shuffled_pixels(images, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(shuffled, axis=0), np.sort(images, axis=0))
    assert (shuffled != images).mean() > 0.5


def test_rows_of_classes_never_repeat_before_they_must():
    classes = np.repeat(np.arange(4), 10)
    rows = rows_of_classes(classes, np.array([1, 3]), 15, np.random.default_rng(0))
    assert set(classes[rows]) <= {1, 3}
    assert len(np.unique(rows)) == 15
    rows = rows_of_classes(classes, np.array([2]), 15, np.random.default_rng(0))
    assert set(rows) == set(range(20, 30))
    assert len(rows) == 15


def test_wrong_labels_keep_the_histogram():
    labels = np.stack([np.repeat(np.arange(10), 50), np.repeat(np.arange(5), 100)], axis=1)
    damaged = wrong_labels(labels, 0.5, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(damaged[:, 0]), labels[:, 0])
    assert (damaged[:, 0] // 2 == damaged[:, 1]).all(), "rows stay consistent over levels"
    assert 0.35 < (damaged[:, 0] != labels[:, 0]).mean() < 0.5
