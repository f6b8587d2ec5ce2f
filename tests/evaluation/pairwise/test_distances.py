"""The fast pass against float64 N x N matrices, ties included."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from mtgan.errors import UserError
from mtgan.evaluation.pairwise.arrays import as_features
from mtgan.evaluation.pairwise.neighbors import nearest, neighborhood
from mtgan.evaluation.pairwise.pairs import pairwise_pass


def slow(x: np.ndarray, y: np.ndarray, k: int) -> dict[str, np.ndarray]:
    """Everything that a pass holds, from full float64 matrices."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    xx, yy, xy = cdist(x, x), cdist(y, y), cdist(x, y)
    rx, ry = np.sort(xx, 1)[:, k], np.sort(yy, 1)[:, k]
    return {
        "sample_radii": rx,
        "reference_radii": ry,
        "sample_distances": xy.min(1),
        "reference_distances": xy.min(0),
        "samples": (xy <= ry * (1 + 1e-12)).sum(1),
        "samples_open": (xy < ry * (1 - 1e-12)).sum(1),
        "reference": (xy <= rx[:, None] * (1 + 1e-12)).sum(0),
    }


def check(x: np.ndarray, y: np.ndarray, ks: tuple[int, ...], block: int | None) -> None:
    passed = pairwise_pass(x, y, ks, block=block)
    for k in ks:
        expected = slow(x, y, k)
        counts = passed.counts(k)
        found = {
            "sample_radii": passed.samples.radii(k),
            "reference_radii": passed.reference.radii(k),
            "sample_distances": passed.sample_distances,
            "reference_distances": passed.reference_distances,
            "samples": counts.samples,
            "samples_open": counts.samples_open,
            "reference": counts.reference,
        }
        for name, value in found.items():
            exact = value.dtype == torch.int64
            np.testing.assert_allclose(
                value.numpy(), expected[name], rtol=0 if exact else 1e-9, atol=0 if exact else 1e-9
            )


@pytest.mark.parametrize("block", [None, 64, 17])
@pytest.mark.parametrize(("m", "n", "d"), [(300, 300, 16), (120, 251, 3), (40, 33, 200)])
def test_equals_full_matrices(draw, m, n, d, block):
    check(draw(m, d, 1), draw(n, d, 2), (1, 3, 5), block)


@pytest.mark.parametrize("block", [None, 19])
def test_equals_full_matrices_where_ties_abound(block):
    """Points on a small grid: many duplicates, and many distances that equal a radius."""
    generator = np.random.default_rng(0)
    x = generator.integers(0, 4, (150, 3)).astype(np.float32)
    y = generator.integers(0, 4, (200, 3)).astype(np.float32)
    check(x, y, (2, 5), block)


def test_equals_full_matrices_for_copies(draw):
    """Every sample on the border of the balls of its own neighbors."""
    x = draw(200, 12)
    check(x, x, (3, 5), None)
    check(x[::-1].copy(), x, (5,), 31)


@pytest.mark.parametrize("offset", [1e3, 1e6])
def test_offset_does_not_cost_digits(draw, offset):
    x, y = draw(100, 6, 1).astype(np.float64), draw(120, 6, 2).astype(np.float64)
    check(x + offset, y + offset, (3,), None)


def test_one_outlier_does_not_cost_digits(draw):
    x, y = draw(100, 6, 1), draw(120, 6, 2)
    y[7] *= 1e4
    check(x, y, (3,), None)


@pytest.mark.parametrize("scale", [1e-18, 1e18])
def test_scale_does_not_matter(draw, scale):
    x, y = draw(100, 6, 1), draw(120, 6, 2)
    base, scaled = (
        pairwise_pass(x, y, 3),
        pairwise_pass(x * np.float32(scale), y * np.float32(scale), 3),
    )
    assert torch.equal(base.counts(3).samples, scaled.counts(3).samples)
    np.testing.assert_allclose(scaled.sample_distances / scale, base.sample_distances, rtol=1e-5)


def test_mixed_types_agree(draw):
    x, y = draw(100, 6, 1) + 100, draw(120, 6, 2) + 100
    a, b = pairwise_pass(x, y, 3), pairwise_pass(x.astype(np.float64), y, 3)
    assert torch.equal(a.counts(3).samples, b.counts(3).samples)
    assert torch.equal(a.sample_distances, b.sample_distances)


def test_reduced_matmul_precision_of_training_has_no_influence(draw):
    x, y = draw(200, 64, 1), draw(200, 64, 2)
    torch.set_float32_matmul_precision("medium")
    try:
        check(x, y, (3,), None)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")


def test_neighborhoods_computed_before_are_used(draw):
    x, y = draw(100, 6, 1), draw(120, 6, 2)
    fresh = pairwise_pass(x, y, (3, 5), kernel=True)
    reused = pairwise_pass(
        x,
        y,
        (3, 5),
        kernel=True,
        sample_neighborhood=neighborhood(x, 5, kernel=True),
        reference_neighborhood=neighborhood(y, 5, kernel=True),
    )
    assert torch.equal(fresh.counts(5).samples_open, reused.counts(5).samples_open)
    assert fresh.reference.kernel_sum == reused.reference.kernel_sum
    with pytest.raises(UserError, match="belongs to 100 points"):
        pairwise_pass(x, y, 3, reference_neighborhood=fresh.samples)
    with pytest.raises(UserError, match=r"taken for k in \[3, 5\]"):
        fresh.counts(4)
    with pytest.raises(UserError, match="holds 5 neighbors"):
        fresh.samples.radii(6)


@pytest.mark.parametrize("block", [None, 13])
def test_nearest_equals_full_matrix(draw, block):
    x, y = draw(70, 9, 1), draw(90, 9, 2)
    y[3] = x[5]
    matrix = cdist(x.astype(np.float64), y.astype(np.float64))
    distances, indices = nearest(x, y, 3, block=block)
    np.testing.assert_allclose(distances, np.sort(matrix, 1)[:, :3], rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(indices, np.argsort(matrix, 1)[:, :3])
    assert float(distances[5, 0]) == 0.0


def test_neighbor_indices_exclude_the_point_itself(draw):
    x = np.repeat(draw(20, 4), 2, axis=0)
    found = neighborhood(x, 1)
    np.testing.assert_array_equal(found.indices[:, 0], np.arange(40) ^ 1)
    assert float(found.distances.max()) == 0.0


def test_too_few_points(draw):
    with pytest.raises(UserError, match="at least 6"):
        pairwise_pass(draw(5), draw(), 5)
    with pytest.raises(UserError, match="fewer than k=4"):
        nearest(draw(5), draw(3), 4)
    with pytest.raises(UserError, match="k must be"):
        neighborhood(draw(5), 0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("block", [None, 50, 11])
def test_equals_full_matrices_in_any_order(seed, block):
    """Rows by class, near copies and copies: later blocks hold nearer neighbors than the first."""
    generator = np.random.default_rng(seed)
    centers = generator.standard_normal((5, 7))
    x = np.repeat(centers, 30, axis=0) + 0.1 * generator.standard_normal((150, 7))
    y = np.repeat(centers[::-1], 24, axis=0) + 0.1 * generator.standard_normal((120, 7))
    y[60:80] = x[10]
    y[100:] = y[:20] + 1e-6 * generator.standard_normal((20, 7))
    check(x, y, (1, 5), block)
    distances, _ = nearest(x, y, 4, block=block)
    np.testing.assert_allclose(distances, np.sort(cdist(x, y), 1)[:, :4], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("block", [None, 16])
def test_collapsed_samples(draw, block):
    x, y = np.repeat(draw(1, 5), 90, axis=0), draw(60, 5, 2)
    check(x, y, (3, 5), block)
    check(y, x, (3,), block)


@pytest.mark.parametrize("block", [None, 31])
def test_cosine_distances_equal_full_matrix(draw, block):
    """Also far from the origin, where all directions are nearly one."""
    for offset in (0, 50):
        x, y = draw(100, 12, 1) + offset, draw(130, 12, 2) + offset
        x[3] = -2 * y[5]
        units = [
            each / np.linalg.norm(each.astype(float), axis=1, keepdims=True) for each in (x, y)
        ]
        expected = (1 - np.abs(units[0] @ units[1].T)).min(1)
        found = pairwise_pass(x, y, 3, cosine=True, block=block).cosine_distances
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-7 if offset else 1e-14)
    y[4] = 0
    with pytest.raises(UserError, match="Row 4 of reference"):
        pairwise_pass(x, y, 3, cosine=True)


def test_as_many_rows_as_are_needed_are_enough() -> None:
    three = np.arange(6.0).reshape(3, 2)
    assert as_features(three, "samples", minimum=3).shape == (3, 2)
    with pytest.raises(UserError, match="samples has 3 rows, this measure needs at least 4"):
        as_features(three, "samples", minimum=4)
