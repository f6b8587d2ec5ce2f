import numpy as np
import pytest

from mtgan.errors import UserError
from mtgan.evaluation.metrics.precision_recall import precision_recall, precision_recall_from_pass
from mtgan.evaluation.pairwise.pairs import pairwise_pass


@pytest.mark.parametrize(("m", "n", "k"), [(300, 300, 3), (200, 280, 5)])
def test_equals_prdc(draw, m, n, k):
    oracle = pytest.importorskip("prdc")
    x, y = 1.1 * draw(m, seed=1) + 0.1, draw(n, seed=2)
    expected = oracle.compute_prdc(y.astype(np.float64), x.astype(np.float64), k)
    found = precision_recall(x, y, k)
    assert found.precision == pytest.approx(expected["precision"], abs=1e-9)
    assert found.recall == pytest.approx(expected["recall"], abs=1e-9)


def test_identical_and_disjoint_sets(draw):
    x = draw()
    same, apart = precision_recall(x, x), precision_recall(x + 100, x)
    assert (same.precision, same.recall) == (1, 1)
    assert (apart.precision, apart.recall) == (0, 0)


def test_roles_swap(draw):
    x, y = 0.7 * draw(seed=1), draw(seed=2)
    one, other = precision_recall(x, y), precision_recall(y, x)
    assert (one.precision, one.recall) == (other.recall, other.precision)
    assert one.precision > one.recall


def test_lost_modes_cost_recall_and_not_precision(modes):
    real, _ = modes(seed=1)
    found = [precision_recall(modes(kept=kept, seed=2)[0], real) for kept in (10, 7, 4, 1)]
    recalls = [each.recall for each in found]
    assert recalls == sorted(recalls, reverse=True)
    assert recalls[0] > 0.8
    assert recalls[-1] < 0.12
    assert min(each.precision for each in found) > 0.8


def test_noise_costs_precision(draw):
    real = draw(seed=1)
    found = [precision_recall(draw(seed=2) + s * draw(seed=3), real).precision for s in (0, 1, 3)]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1] + 0.5


def test_read_off_a_shared_pass(draw):
    x, y = draw(seed=1), draw(seed=2)
    passed = pairwise_pass(x, y, (3, 5))
    for k in (3, 5):
        assert precision_recall_from_pass(passed, k) == precision_recall(x, y, k)


def test_too_few(draw):
    with pytest.raises(UserError, match="at least 4"):
        precision_recall(draw(3), draw())
