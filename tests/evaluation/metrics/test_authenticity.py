import numpy as np
import pytest
from scipy.spatial.distance import cdist

from mtgan.errors import UserError
from mtgan.evaluation.metrics.authenticity import authenticity, authenticity_from_pass
from mtgan.evaluation.pairwise.neighbors import neighborhood
from mtgan.evaluation.pairwise.pairs import pairwise_pass


def plain(x: np.ndarray, train: np.ndarray) -> float:
    xt, tt = (
        cdist(x.astype(float), train.astype(float)),
        cdist(train.astype(float), train.astype(float)),
    )
    np.fill_diagonal(tt, np.inf)
    near = xt.argmin(1)
    return float((xt.min(1) > tt.min(1)[near]).mean())


@pytest.mark.parametrize(("m", "n", "d"), [(300, 300, 16), (77, 200, 3)])
def test_equals_definition(draw, m, n, d):
    x, train = draw(m, d, 1), draw(n, d, 2)
    value = authenticity(x, train)
    assert value == plain(x, train)
    assert authenticity(x, train, neighborhood(train, 3)) == value
    assert authenticity_from_pass(pairwise_pass(x, train, 3)) == value


def test_falls_with_the_share_of_copies(draw):
    train, fresh = draw(300, 16, 1), draw(300, 16, 2)
    values = []
    for share in (0, 100, 200, 300):
        mixed = fresh.copy()
        mixed[:share] = train[:share] + 1e-3 * draw(300, 16, 3)[:share]
        values.append(authenticity(mixed, train))
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.4
    assert values[-1] == 0
    assert authenticity(train, train) == 0


def test_noise_is_authentic(draw):
    assert authenticity(draw(seed=1) + 50, draw(seed=2)) == 1


def test_bad_input(draw):
    with pytest.raises(UserError, match="train has 1 rows"):
        authenticity(draw(), draw(1))
    with pytest.raises(UserError, match="samples have 5 features and train 4"):
        authenticity(draw(d=5), draw(d=4))
