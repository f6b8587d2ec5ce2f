import numpy as np
import pytest

from mtgan.errors import UserError
from mtgan.evaluation.metrics.prd_curve import prd_curve, prd_from_histograms


def plain(q: list[float], p: list[float], angles: int) -> list[tuple[float, float]]:
    """The definition, in loops: q of the samples, p of the reference."""
    curve = []
    for angle in np.linspace(1e-10, np.pi / 2 - 1e-10, angles):
        s = np.tan(angle)
        precision = sum(min(s * b, a) for a, b in zip(q, p, strict=True))
        curve.append((min(precision, 1), min(precision / s, 1)))
    return curve


def test_histograms_equal_definition():
    q, p = [0.1, 0.5, 0.4, 0.0], [0.25, 0.25, 0.0, 0.5]
    found = prd_from_histograms(np.array(q), np.array(p), angles=101)
    expected = np.array(plain(q, p, 101))
    np.testing.assert_allclose(found.precision, expected[:, 0], atol=1e-12)
    np.testing.assert_allclose(found.recall, expected[:, 1], atol=1e-12)
    for beta, value in ((8, found.f8), (1 / 8, found.f1_8)):
        scores = [
            (1 + beta**2) * a * b / (beta**2 * a + b) for a, b in expected if beta**2 * a + b > 0
        ]
        assert value == pytest.approx(max(scores), abs=1e-12)


def test_known_histograms():
    """Half the reference's bins are covered, evenly: full precision at half the recall."""
    half = prd_from_histograms(np.array([1, 1, 0, 0]), np.array([5, 5, 5, 5]))
    assert half.precision.max() == pytest.approx(1)
    assert half.recall.max() == pytest.approx(0.5)
    assert half.f1_8 > 0.98
    assert half.f8 == pytest.approx(0.5, abs=0.02)
    other = prd_from_histograms(np.array([5, 5, 5, 5]), np.array([1, 1, 0, 0]))
    assert (other.f8, other.f1_8) == pytest.approx((half.f1_8, half.f8), abs=1e-3)
    apart = prd_from_histograms(np.array([1, 0]), np.array([0, 1]))
    assert apart.f8 == apart.f1_8 == 0


def test_clipped_at_one():
    third = np.full(3, 1 / 3)
    same = prd_from_histograms(third, third)
    assert same.recall.max() <= 1
    assert same.precision.max() <= 1
    assert same.f8 == pytest.approx(1, abs=1e-9)


@pytest.mark.filterwarnings("ignore:MiniBatchKMeans is known:UserWarning")
def test_lost_modes_cost_recall(modes):
    real, _ = modes(seed=1)
    found = [prd_curve(modes(kept=kept, seed=2)[0], real, repeats=3) for kept in (10, 5, 2)]
    assert found[0].f8 > 0.9
    assert found[0].f1_8 > 0.9
    assert [each.f8 for each in found] == sorted((each.f8 for each in found), reverse=True)
    assert found[-1].f8 < 0.45
    assert found[-1].f1_8 > found[-1].f8 + 0.3


@pytest.mark.filterwarnings("ignore:MiniBatchKMeans is known:UserWarning")
def test_projection_onto_all_axes_changes_little(draw):
    x, y = draw(400, 12, 1) + 0.5, draw(400, 12, 2)
    x[:, 4:] *= 0.01
    y[:, 4:] *= 0.01
    full, fewer = prd_curve(x, y, dims=None, repeats=4), prd_curve(x, y, dims=4, repeats=4)
    assert fewer.f8 == pytest.approx(full.f8, abs=0.03)
    assert fewer.f1_8 == pytest.approx(full.f1_8, abs=0.03)


@pytest.mark.filterwarnings("ignore:MiniBatchKMeans is known:UserWarning")
def test_sizes_are_made_equal_and_seed_decides(draw):
    x, y = draw(100, 4, 1), draw(400, 4, 2)
    one = prd_curve(x, y, repeats=2)
    np.testing.assert_array_equal(one.recall, prd_curve(x, y, repeats=2).recall)
    assert one.f8 > 0.8


def test_bad_input(draw):
    with pytest.raises(UserError, match="20 clusters"):
        prd_curve(draw(5), draw(5))
    with pytest.raises(UserError, match="same number of bins"):
        prd_from_histograms(np.ones(3), np.ones(4))
    with pytest.raises(UserError, match="not all of them zero"):
        prd_from_histograms(np.zeros(3), np.ones(3))
