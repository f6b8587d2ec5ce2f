import warnings

import numpy as np
import pytest
import scipy.linalg
import torch

from mtgan.errors import UserError
from mtgan.evaluation.metrics.frechet_distance import frechet_distance, frechet_from_statistics
from mtgan.evaluation.metrics.frechet_infinity import frechet_infinity
from mtgan.evaluation.metrics.prd_curve import prd_curve
from mtgan.evaluation.pairwise import gaussian
from mtgan.evaluation.pairwise.arrays import SmallSampleWarning
from mtgan.evaluation.pairwise.gaussian import GaussianStatistics
from mtgan.evaluation.pairwise.pairs import pairwise_pass


def plain(x: np.ndarray, y: np.ndarray) -> float:
    """The definition, word for word, with a matrix square root."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    sx, sy = np.cov(x.T), np.cov(y.T)
    root = scipy.linalg.sqrtm(sx @ sy).real
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(sx + sy - 2 * root))


@pytest.mark.parametrize(
    ("m", "n", "d"), [(300, 300, 16), (200, 350, 5), (90, 80, 40), (50, 60, 1)]
)
def test_equals_definition_with_matrix_square_root(draw, m, n, d):
    if d == 1:
        x, y = draw(m, 2, 1)[:, :1], 2 * draw(n, 2, 2)[:, :1] + 1
        expected = (x.mean(0) - y.mean(0)) ** 2 + (x.std(0, ddof=1) - y.std(0, ddof=1)) ** 2
        assert frechet_distance(x, y) == pytest.approx(float(expected[0]), rel=1e-5)
        return
    mix = draw(d, d, 7)
    x, y = draw(m, d, 1), draw(n, d, 2) @ mix + 0.5
    assert frechet_distance(x, y) == pytest.approx(plain(x, y), rel=1e-6)


def test_equals_torchmetrics(draw):
    fid = pytest.importorskip("torchmetrics.image.fid")
    x, y = (torch.from_numpy(each).double() for each in (draw(seed=1), 1.3 * draw(seed=2) + 0.2))
    oracle = fid._compute_fid(x.mean(0), x.T.cov(), y.mean(0), y.T.cov())
    assert frechet_distance(x, y) == pytest.approx(float(oracle), rel=1e-6)


def test_closed_form_of_two_gaussians():
    # Diagonal covariances: the distance is the sum over axes of squared gaps of both moments.
    mean, deviation = np.array([1.0, -2.0, 0.5]), np.array([0.5, 2.0, 3.0])
    a = GaussianStatistics.from_moments(np.zeros(3), np.eye(3), 1000)
    b = GaussianStatistics.from_moments(mean, np.diag(deviation**2), 1000)
    expected = (mean**2).sum() + ((deviation - 1) ** 2).sum()
    assert frechet_from_statistics(a, b) == pytest.approx(expected, rel=1e-12)
    assert frechet_from_statistics(b, a) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("counts", [(40, 50), (40, 200), (200, 40), (65, 64)])
def test_low_rank_forms_agree_with_full_covariance(draw, counts):
    """Few samples, on either side or both: the same value as from D x D covariances."""
    x, y = draw(counts[0], 64, 1), draw(counts[1], 64, 2) * 1.5
    with pytest.warns(SmallSampleWarning, match="singular"):
        value = frechet_distance(x, y)
    dense = [
        GaussianStatistics.from_moments(each.mean(0, dtype=np.float64), np.cov(each.T), len(each))
        for each in (x, y)
    ]
    assert value == pytest.approx(frechet_from_statistics(*dense), rel=1e-6)


@pytest.mark.filterwarnings("ignore::mtgan.evaluation.metrics.SmallSampleWarning")
@pytest.mark.parametrize("n", [30, 300])
def test_identity_symmetry_and_sign(draw, n):
    x, y = draw(n, 64, 1), draw(n, 64, 2)
    scale = GaussianStatistics.from_features(x).trace
    assert 0 <= frechet_distance(x, x) <= 1e-6 * scale
    assert frechet_distance(x, y) == pytest.approx(frechet_distance(y, x), rel=1e-9)
    assert frechet_distance(x, y[::-1].copy()) == pytest.approx(frechet_distance(x, y), rel=1e-9)


def test_constant_features_are_not_a_problem(draw):
    x, y = draw(100, 20, 1), draw(100, 20, 2)
    x[:, 5:] = y[:, 5:] = 3.0
    assert frechet_distance(x, y) == pytest.approx(frechet_distance(x[:, :5], y[:, :5]), rel=1e-5)
    collapsed = np.ones_like(y)
    expected = ((y.mean(0, dtype=np.float64) - 1) ** 2).sum() + y.astype(float).var(0, ddof=1).sum()
    assert frechet_distance(collapsed, y) == pytest.approx(expected, rel=1e-6)


def test_grows_with_noise_shift_and_scale(draw):
    x, y = draw(seed=1), draw(seed=2)
    by_noise = [frechet_distance(y + s * draw(seed=3), x) for s in (0, 0.5, 1, 2)]
    by_shift = [frechet_distance(y + s, x) for s in (0, 0.5, 1, 2)]
    assert by_noise == sorted(by_noise)
    assert by_noise[0] < by_noise[-1] / 10
    assert by_shift == sorted(by_shift)


def test_offset_does_not_cost_digits(draw):
    x, y = draw(seed=1).astype(np.float64), 1.2 * draw(seed=2).astype(np.float64)
    assert frechet_distance(x + 1e5, y + 1e5) == pytest.approx(frechet_distance(x, y), rel=1e-6)


def test_block_size_type_and_container_do_not_matter(draw, monkeypatch):
    x, y = draw(seed=1), draw(seed=2)
    value = frechet_distance(x, y)
    assert frechet_distance(torch.from_numpy(x), y.astype(np.float64)) == pytest.approx(value)
    given = GaussianStatistics.from_features(y)
    assert frechet_distance(x, given) == pytest.approx(value, rel=1e-12)
    monkeypatch.setattr(gaussian, "BLOCK_ROWS", 7)
    assert frechet_distance(x, y) == pytest.approx(value, rel=1e-12)


def test_silent_with_enough_samples(draw):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frechet_distance(draw(seed=1), draw(seed=2))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.full((30, 4), np.nan), r"samples holds NaN.*row 0"),
        (np.array([[0.0] * 4] * 9 + [[0, 0, np.inf, 0]]), "row 9"),
        (np.zeros((1, 4)), "at least 2"),
        (np.zeros((30, 5)), "5 and 4 features"),
        (np.zeros((30, 2, 2)), r"\[N, D\]"),
        (np.array([["a"] * 4] * 30), "array of numbers"),
    ],
)
def test_bad_input_is_a_clear_sentence(draw, bad, message):
    with pytest.raises(UserError, match=message):
        frechet_distance(bad, draw(30, 4))


def test_moments_that_do_not_belong_together():
    with pytest.raises(UserError, match="do not belong together"):
        GaussianStatistics.from_moments(np.zeros(3), np.eye(4), 10)


def test_dead_features_do_not_stop_the_fast_factor(draw):
    """A singular covariance has no Cholesky factor: the eigenvalues serve, with equal results."""
    x, y = draw(300, 12, 1), 1.3 * draw(300, 12, 2) + 0.2
    dead = np.zeros((300, 3), np.float32)
    padded = (np.concatenate([each, dead], axis=1) for each in (x, y))
    assert frechet_distance(*padded) == pytest.approx(frechet_distance(x, y), rel=1e-9)
    twice = (np.concatenate([each, each], axis=1) for each in (x, y))
    assert frechet_distance(*twice) == pytest.approx(2 * frechet_distance(x, y), rel=1e-7)


def test_given_features_are_left_as_they_are(draw):
    """float64 features are not copied on the way: nothing may be done in place."""
    x, y = draw(seed=1).astype(np.float64) + 3, draw(seed=2).astype(np.float64)
    before = x.copy(), y.copy()
    frechet_distance(x, y)
    for both_sides in (True, False):
        frechet_infinity(x, y, points=3, both_sides=both_sides)
    pairwise_pass(x, y, 3, kernel=True, cosine=True)
    prd_curve(x, y, repeats=1, dims=4)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])
