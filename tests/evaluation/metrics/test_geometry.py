import builtins
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from mtgan.errors import UserError
from mtgan.evaluation.metrics import geometry_score as module
from mtgan.evaluation.metrics.geometry_score import (
    _holes,
    geometry_score,
    mean_relative_living_times,
    relative_living_time,
)

SMALL = {"landmarks": 32, "gamma": 1 / 8, "i_max": 10, "draws": 8}


def ring(n: int = 500, seed: int = 0) -> np.ndarray:
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, n)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def disk(n: int = 500, seed: int = 0) -> np.ndarray:
    return ring(n, seed) * np.random.default_rng(seed + 1).uniform(0, 1, (n, 1)) ** 0.5


def slow_living_times(x, landmarks, gamma, i_max, draws, seed):
    """The published algorithm with full sorted tables and a loop over the intervals."""
    gudhi = pytest.importorskip("gudhi")
    generator, total = np.random.default_rng(seed), np.zeros(i_max)
    for _ in range(draws):
        table = cdist(x, x[generator.integers(len(x), size=landmarks)])
        alpha = gamma * table.max()
        order = table.argsort(axis=1, kind="stable")
        rows = [[(int(j), float(row[j])) for j in o] for row, o in zip(table, order, strict=True)]
        tree = gudhi.WitnessComplex(rows).create_simplex_tree(alpha, limit_dimension=2)
        tree.compute_persistence(homology_coeff_field=2)
        holes = [(b, min(d, alpha)) for b, d in tree.persistence_intervals_in_dimension(1)]
        marks = sorted({0.0, alpha, *(end for hole in holes for end in hole)})
        for low, high in pairwise(marks):
            alive = sum(b <= (low + high) / 2 < d for b, d in holes)
            if alive < i_max:
                total[alive] += (high - low) / alpha
    return total / draws


@pytest.mark.parametrize(("n", "d", "gamma"), [(200, 2, 1 / 8), (150, 8, 1 / 16), (100, 30, 1 / 4)])
def test_equals_the_published_algorithm(n, d, gamma):
    """The trimmed tables of witnesses give the same complexes as full ones."""
    x = np.random.default_rng(n).standard_normal((n, d))
    if d == 2:
        x = ring(n)
    settings = {"landmarks": 24, "gamma": gamma, "i_max": 20, "draws": 4, "seed": 3}
    found = mean_relative_living_times(x, **settings)
    np.testing.assert_allclose(found, slow_living_times(x, **settings), atol=1e-6)


def test_shapes_are_recognized():
    pytest.importorskip("gudhi")
    apart = geometry_score(disk(2000), ring(2000), **SMALL)
    same = geometry_score(ring(2000, seed=5), ring(2000), **SMALL)
    assert apart.reference[1] > 0.95  # a ring has one hole
    assert apart.samples[0] > 0.85  # a disk has none
    assert apart.value > 1.6
    assert same.value < 0.01
    assert float(apart) == apart.value
    assert apart.dropped < 0.05


def test_identity_seed_and_rotation():
    pytest.importorskip("gudhi")
    x = disk(200)
    assert geometry_score(x, x, **SMALL).value == 0
    turned = x @ np.array([[0.6, -0.8], [0.8, 0.6]]) + 10
    np.testing.assert_allclose(
        mean_relative_living_times(turned, **SMALL),
        mean_relative_living_times(x, **SMALL),
        atol=1e-6,
    )
    other = mean_relative_living_times(x, **SMALL, seed=1)
    assert not np.allclose(other, mean_relative_living_times(x, **SMALL), atol=1e-6)


def test_living_time_by_hand():
    intervals = np.array([[0.1, 0.5], [0.3, np.inf], [0.3, 0.4]])
    found = relative_living_time(intervals, 1.0, 4)
    # none until .1, one until .3, three until .4, two until .5, one until the end
    np.testing.assert_allclose(found, [0.1, 0.7, 0.1, 0.1], atol=1e-12)
    np.testing.assert_allclose(relative_living_time(intervals, 1.0, 3), [0.1, 0.7, 0.1], atol=1e-12)
    np.testing.assert_array_equal(relative_living_time(np.empty((0, 2)), 1.0, 2), [1, 0])


def test_collapsed_points_have_no_hole():
    pytest.importorskip("gudhi")
    assert mean_relative_living_times(np.ones((40, 3)), **SMALL)[0] == 1


def test_bad_input():
    pytest.importorskip("gudhi")
    with pytest.raises(UserError, match="equal numbers"):
        geometry_score(ring(100), ring(120))
    with pytest.raises(UserError, match="at least 64"):
        geometry_score(ring(50), ring(50))
    with pytest.raises(UserError, match="gamma"):
        geometry_score(ring(100), ring(100), gamma=0)


def test_names_the_missing_extra(monkeypatch):
    real_import = builtins.__import__

    def without_gudhi(name, *args, **kwargs):
        if name == "gudhi":
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_gudhi)
    with pytest.raises(UserError, match=r"pip install 'mtgan\[topology\]'"):
        geometry_score(torch.zeros(100, 2), torch.zeros(100, 2))


def gudhi_holes(table: np.ndarray, alpha: float) -> np.ndarray:
    """gudhi's witness complex of the full sorted table of distances."""
    gudhi = pytest.importorskip("gudhi")
    order = table.argsort(axis=1, kind="stable")
    rows = [[(int(j), float(row[j])) for j in o] for row, o in zip(table, order, strict=True)]
    tree = gudhi.WitnessComplex(rows).create_simplex_tree(alpha, limit_dimension=2)
    tree.compute_persistence(homology_coeff_field=2)
    return tree.persistence_intervals_in_dimension(1).reshape(-1, 2)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("landmarks", [1, 2, 3, 9, 16])
@pytest.mark.parametrize("share", [0.02, 0.15, 2])
def test_holes_equal_those_of_gudhi(monkeypatch, seed, landmarks, share):
    """Births and deaths to the last bit: copies, landmarks drawn twice, everything in reach."""
    monkeypatch.setattr(module, "SIGHTS_AT_ONCE", 500)  # so that parts are merged
    generator = np.random.default_rng(seed)
    points = generator.standard_normal((60, 2 + seed))
    if seed % 2:
        points[20:30] = points[7]
    if seed == 4:
        points = points.round()
    if seed == 0:
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    squared = cdist(points, points[generator.integers(60, size=landmarks)]) ** 2
    table = np.sqrt(squared)
    alpha = share * table.max()
    found, expected = _holes(squared, alpha), gudhi_holes(table, alpha)
    np.testing.assert_array_equal(sorted(map(tuple, found)), sorted(map(tuple, expected)))
