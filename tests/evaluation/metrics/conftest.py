"""Small feature sets that the tests of measures share."""

from collections.abc import Callable

import numpy as np
import pytest

Draw = Callable[..., np.ndarray]


@pytest.fixture
def draw() -> Draw:
    """Standard normal features float32 [n, d], by seed."""

    def features(n: int = 300, d: int = 16, seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)

    return features


@pytest.fixture
def modes() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Features in ten well separated clusters, and the cluster of each: equally many of `kept`."""

    def features(
        n: int = 500, kept: int = 10, seed: int = 0, d: int = 8
    ) -> tuple[np.ndarray, np.ndarray]:
        centers = 6 * np.random.default_rng(99).standard_normal((10, d))
        labels = np.arange(n) % kept
        noise = np.random.default_rng(seed).standard_normal((n, d))
        return (centers[labels] + noise).astype(np.float32), labels

    return features
