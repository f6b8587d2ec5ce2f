import numpy as np
import pytest

from mtgan.errors import UserError
from mtgan.evaluation.metrics.density_coverage import density_coverage, density_coverage_from_pass
from mtgan.evaluation.pairwise.pairs import pairwise_pass


@pytest.mark.parametrize(("m", "n", "k"), [(300, 300, 5), (200, 280, 3)])
def test_equals_prdc(draw, m, n, k):
    oracle = pytest.importorskip("prdc")
    x, y = 0.8 * draw(m, seed=1) + 0.1, draw(n, seed=2)
    expected = oracle.compute_prdc(y.astype(np.float64), x.astype(np.float64), k)
    found = density_coverage(x, y, k)
    assert found.density == pytest.approx(expected["density"], rel=1e-9)
    assert found.coverage == pytest.approx(expected["coverage"], abs=1e-9)


def test_expected_value_between_equal_distributions(draw):
    """Naeem et al., section 3.3: density 1, coverage 1 - (N-1)...(N-k) / (2N-1)...(2N-k)."""
    n, k = 1000, 5
    found = [density_coverage(draw(n, 4, s), draw(n, 4, s + 50), k) for s in range(6)]
    missed = np.prod([(n - i) / (2 * n - i) for i in range(1, k + 1)])
    assert np.mean([each.coverage for each in found]) == pytest.approx(1 - missed, abs=0.006)
    assert np.mean([each.density for each in found]) == pytest.approx(1, abs=0.03)


def test_copies_and_disjoint_sets(draw):
    x = draw()
    same, apart = density_coverage(x, x), density_coverage(x + 100, x)
    # An open ball around x of radius d_k holds x itself and k - 1 neighbors.
    assert (same.density, same.coverage) == (1, 1)
    assert (apart.density, apart.coverage) == (0, 0)


def test_lost_modes_cost_coverage_and_not_density(modes):
    real, _ = modes(seed=1)
    found = [density_coverage(modes(kept=kept, seed=2)[0], real) for kept in (10, 7, 4, 1)]
    coverages = [each.coverage for each in found]
    assert coverages == sorted(coverages, reverse=True)
    assert coverages[0] > 0.9
    assert coverages[-1] < 0.12
    assert min(each.density for each in found) > 0.8


def test_density_rewards_shrinking_and_coverage_does_not(draw):
    for d, shrink in ((2, 0.3), (16, 0.4)):
        real, fresh = draw(d=d, seed=1), draw(d=d, seed=2)
        found, usual = density_coverage(shrink * fresh, real), density_coverage(fresh, real)
        if d == 2:
            assert found.coverage < usual.coverage / 2
        else:
            assert found.density > 5 * usual.density


def test_read_off_a_shared_pass(draw):
    x, y = draw(seed=1), draw(seed=2)
    passed = pairwise_pass(x, y, (3, 5))
    assert density_coverage_from_pass(passed) == density_coverage(x, y)


def test_too_few(draw):
    with pytest.raises(UserError, match="at least 6"):
        density_coverage(draw(), draw(5))
