import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from mtgan.errors import UserError
from mtgan.evaluation.metrics.sliced_wasserstein import (
    _steps,
    random_directions,
    sliced_wasserstein,
)
from mtgan.evaluation.metrics.sliced_wasserstein import sliced_wasserstein as function


@pytest.mark.parametrize("at_once", [64, 7])
def test_equals_definition(draw, monkeypatch, at_once):
    monkeypatch.setitem(function.__globals__, "DIRECTIONS_AT_ONCE", at_once)
    x, y = draw(120, 9, 1) + 0.3, 1.5 * draw(120, 9, 2)
    directions = random_directions(9, 50, 4).numpy()
    a, b = np.sort(x @ directions, 0), np.sort(y @ directions, 0)
    expected = 3 * 9 / (120 * 50) * ((a - b) ** 2).sum()
    assert sliced_wasserstein(x, y, 50, seed=4) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("m", "n"), [(12, 18), (7, 5), (1, 6), (8, 8)])
def test_sets_of_other_sizes_equal_repeated_points(draw, m, n):
    """Repeating every point n (or m) times changes neither distribution."""
    x, y = draw(m, 3, 1), draw(n, 3, 2)
    repeated = sliced_wasserstein(np.repeat(x, n, 0), np.repeat(y, m, 0), 20)
    assert sliced_wasserstein(x, y, 20) == pytest.approx(repeated, rel=1e-9)


def test_steps_agree_with_scipy_in_one_dimension(draw):
    a, b = np.sort(draw(31, 1, 1)[:, 0]), np.sort(draw(17, 1, 2)[:, 0])
    left, right, lengths = (each.numpy() for each in _steps(31, 17, "cpu"))
    assert lengths.sum() == pytest.approx(1)
    assert (np.abs(a[left] - b[right]) * lengths).sum() == pytest.approx(wasserstein_distance(a, b))


def test_shift_has_a_closed_form(draw):
    """Each direction sees the shift's projection: the mean over directions is |shift|^2 / D."""
    x = draw(50, 4)
    shift = np.array([1.0, -2.0, 0.5, 0.0], np.float32)
    expected = 3 * float((shift**2).sum())
    assert sliced_wasserstein(x + shift, x, 20_000) == pytest.approx(expected, rel=0.03)


def test_identity_symmetry_and_growth(draw):
    x, y = draw(seed=1), draw(seed=2)
    assert sliced_wasserstein(x, x[::-1].copy()) == pytest.approx(0, abs=1e-12)
    assert sliced_wasserstein(x, y) == pytest.approx(sliced_wasserstein(y, x), rel=1e-9)
    values = [sliced_wasserstein(y + s * draw(seed=3), x) for s in (0, 1, 2)]
    assert values == sorted(values)
    assert values[-1] > 5 * values[0]
    assert sliced_wasserstein(x, y, seed=1) != sliced_wasserstein(x, y, seed=2)


def test_bad_input(draw):
    with pytest.raises(UserError, match="directions"):
        sliced_wasserstein(draw(), draw(), 0)
    with pytest.raises(UserError, match="features"):
        sliced_wasserstein(draw(d=3), draw(d=4))
