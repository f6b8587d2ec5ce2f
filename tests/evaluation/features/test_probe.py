"""The linear probe against scikit-learn's, and where there is little to learn from."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from mtgan.evaluation.features.probe import LinearProbe


def clusters(count: int, width: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Four overlapping Gaussians of one covariance; class 3 is rare."""
    centers = np.random.default_rng(9).standard_normal((4, width))
    random = np.random.default_rng(seed)
    labels = random.choice(4, count, p=(0.4, 0.3, 0.25, 0.05))
    mixing = np.random.default_rng(8).standard_normal((width, width))
    points = centers[labels] * 2 + random.standard_normal((count, width)) @ mixing / width**0.5
    return points.astype(np.float32), labels


def test_equals_the_textbook_with_many_samples():
    points, labels = clusters(6000, 12, 0)
    fresh, truth = clusters(2000, 12, 1)
    probe = LinearProbe.fit(points, labels)
    textbook = LinearDiscriminantAnalysis(solver="lsqr").fit(points, labels)
    np.testing.assert_allclose(probe.probabilities(fresh), textbook.predict_proba(fresh), atol=0.02)
    assert np.mean(probe.predict(fresh) == textbook.predict(fresh)) > 0.995
    assert np.mean(probe.predict(fresh) == truth) > 0.8


def test_fewer_samples_than_features_are_shrunk():
    points, labels = clusters(60, 200, 0)
    fresh, truth = clusters(1000, 200, 1)
    shrunk = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(points, labels)
    found = np.mean(LinearProbe.fit(points, labels).predict(fresh) == truth)
    assert found > 0.9
    assert found > np.mean(shrunk.predict(fresh) == truth) - 0.02


def test_unknown_and_lone_labels_are_left_out():
    points, labels = clusters(300, 5, 0)
    labels[labels == 3] = -1
    labels[0] = 7
    probe = LinearProbe.fit(points, labels)
    assert probe.classes.tolist() == [0, 1, 2]
    assert probe.probabilities(points).sum(axis=1) == pytest.approx(1)


def test_dead_features_and_collapsed_classes_stay_finite():
    points = np.zeros((40, 6), np.float32)
    labels = np.arange(40) % 2
    points[:, 0] = labels
    assert (LinearProbe.fit(points, labels).predict(points) == labels).all()
