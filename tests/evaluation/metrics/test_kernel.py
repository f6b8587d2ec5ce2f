import numpy as np
import pytest
import torch

from mtgan.errors import UserError
from mtgan.evaluation.metrics import kernel_distance as module
from mtgan.evaluation.metrics.kernel_distance import kernel_distance, kernel_distance_from_pass
from mtgan.evaluation.pairwise.pairs import pairwise_pass


def plain(x: np.ndarray, y: np.ndarray) -> float:
    """The U-statistic from full float64 matrices."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    m, n = len(x), len(y)
    kxx, kyy, kxy = ((a @ b.T / x.shape[1] + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    within = (kxx.sum() - np.trace(kxx)) / (m * (m - 1)) + (kyy.sum() - np.trace(kyy)) / (
        n * (n - 1)
    )
    return float(within - 2 * kxy.mean())


@pytest.mark.parametrize("block", [2048, 64, 23])
@pytest.mark.parametrize(("m", "n", "d"), [(300, 300, 16), (100, 170, 3)])
def test_equals_definition(draw, monkeypatch, m, n, d, block):
    monkeypatch.setattr(module, "BLOCK", block)
    x, y = 1.2 * draw(m, d, 1), draw(n, d, 2) + 0.3
    assert kernel_distance(x, y) == pytest.approx(plain(x, y), rel=1e-9)


def test_equals_torchmetrics(draw):
    kid = pytest.importorskip("torchmetrics.image.kid")
    x, y = (torch.from_numpy(each).double() for each in (1.2 * draw(seed=1), draw(seed=2)))
    oracle = kid.poly_mmd(x, y)
    assert kernel_distance(x, y) == pytest.approx(float(oracle), rel=1e-9)


@pytest.mark.parametrize(
    ("scale", "offset"),
    [(1, 0), (1, 2), (10, 3), (1e-3, 0), (1e-3, 2e-3), (1e8, 2e8), (1e25, 2e25)],
)
def test_from_pass_agrees_with_float64(draw, scale, offset):
    """To 1e-7 of the mean kernel value's excess over 1, the kernel of features that are zero."""
    x, y = (scale * draw(300, 64, seed) * grown + offset for seed, grown in ((1, 1.2), (2, 1)))
    passed = pairwise_pass(x, y, 3, kernel=True, block=100)
    excess = passed.kernel_sum / 300**2 - 1
    expected = pytest.approx(kernel_distance(x, y), abs=1e-7 * abs(excess), rel=1e-5)
    assert kernel_distance_from_pass(passed) == expected


def test_pass_without_kernel_sums(draw):
    with pytest.raises(UserError, match="kernel=True"):
        kernel_distance_from_pass(pairwise_pass(draw(seed=1), draw(seed=2), 3))


def test_subsets(draw):
    x, y = 1.2 * draw(seed=1), draw(seed=2)
    whole = kernel_distance(x, y)
    assert kernel_distance(x, y, subsets=2, subset_size=300) == pytest.approx(whole, rel=1e-9)
    means = kernel_distance(x, y, subsets=200, subset_size=100)
    assert means == pytest.approx(whole, rel=0.1)
    assert means == kernel_distance(x, y, subsets=200, subset_size=100)
    assert means != kernel_distance(x, y, subsets=200, subset_size=100, seed=1)
    with pytest.raises(UserError, match="subset_size is 1000"):
        kernel_distance(x, y, subsets=10)


def test_unbiased_where_the_distributions_are_equal(draw):
    values = [kernel_distance(draw(100, 8, s), draw(100, 8, s + 40)) for s in range(40)]
    assert abs(np.mean(values)) < 3 * np.std(values) / 40**0.5
    assert min(values) < 0 < max(values)


def test_symmetric_and_growing_with_noise(draw):
    x, y = draw(seed=1), draw(seed=2)
    assert kernel_distance(x, y) == pytest.approx(kernel_distance(y, x), rel=1e-9)
    values = [kernel_distance(y + s * draw(seed=3), x) for s in (0, 1, 2, 4)]
    assert values == sorted(values)
    assert values[-1] > 10 * abs(values[0])


def test_bad_input(draw):
    with pytest.raises(UserError, match="features"):
        kernel_distance(draw(d=4), draw(d=5))
    with pytest.raises(UserError, match="at least 2"):
        kernel_distance(draw(1), draw())
