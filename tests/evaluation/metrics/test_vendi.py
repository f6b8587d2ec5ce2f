import numpy as np
import pytest

from mtgan.errors import UserError
from mtgan.evaluation.metrics.vendi_score import vendi_score


@pytest.mark.parametrize(("n", "d"), [(300, 16), (50, 80), (64, 64)])
def test_equals_vendi_score(draw, n, d):
    oracle = pytest.importorskip("vendi_score.vendi")
    x = draw(n, d) + 0.5
    unit = x.astype(np.float64) / np.linalg.norm(x.astype(np.float64), axis=1, keepdims=True)
    assert vendi_score(x) == pytest.approx(oracle.score_K(unit @ unit.T), rel=1e-6)


@pytest.mark.parametrize("n", [16, 40, 160])
def test_counts_orthogonal_kinds(n):
    kinds = np.eye(8)[np.arange(n) % 8]
    assert vendi_score(kinds) == pytest.approx(8, rel=1e-9)
    assert vendi_score(3 * kinds) == pytest.approx(8, rel=1e-9)
    assert vendi_score(kinds[::-1].copy()) == pytest.approx(8, rel=1e-9)


def test_collapse_is_one():
    assert vendi_score(np.ones((30, 5))) == pytest.approx(1, abs=1e-9)
    assert vendi_score(np.ones((1, 5))) == pytest.approx(1, abs=1e-9)


def test_falls_with_lost_modes(modes):
    scores = [vendi_score(modes(kept=kept)[0]) for kept in (10, 7, 4, 1)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 2 * scores[-1]


def test_bad_input(draw):
    x = draw(10, 4)
    x[6] = 0
    with pytest.raises(UserError, match="Row 6"):
        vendi_score(x)
    with pytest.raises(UserError, match="at least 1"):
        vendi_score(np.zeros((0, 4)))


def test_equal_samples_count_as_one(draw):
    """In float32, too: empty directions add nothing, though there are many of them."""
    same = np.repeat(draw(1, 700).astype(np.float32), 900, axis=0)
    assert vendi_score(same) == pytest.approx(1, abs=1e-9)
