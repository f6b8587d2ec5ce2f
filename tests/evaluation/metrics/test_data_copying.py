import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu

from mtgan.errors import UserError
from mtgan.evaluation.metrics.data_copying import (
    data_copying,
    data_copying_from_cells,
    mann_whitney_z,
)


@pytest.mark.parametrize("ties", [False, True])
def test_z_equals_scipy(ties):
    generator = np.random.default_rng(0)
    a, b = generator.normal(0.2, 1, 60), generator.normal(0, 1, 45)
    if ties:
        a, b = a.round(), b.round()
    u = mannwhitneyu(a, b).statistic
    assert mann_whitney_z(a, b) == pytest.approx((u - 60 * 45 / 2) / np.sqrt(60 * 45 * 106 / 12))
    assert mann_whitney_z(a, b) == pytest.approx(-mann_whitney_z(b, a))


def test_cells_are_weighted_by_held_out_points(draw):
    """Two cells, judged apart, by hand."""
    x, train, fresh = draw(80, 4, 1), draw(200, 4, 2), draw(90, 4, 3)
    cells = [(each[:, 0] > 0).astype(int) for each in (x, train, fresh)]
    found = data_copying_from_cells(*map(torch.from_numpy, (x, train, fresh)), *cells, 0.1)

    def gaps(points: np.ndarray, base: np.ndarray) -> np.ndarray:
        return np.array([np.linalg.norm(base - p, axis=1).min() for p in points.astype(float)])

    z, weights = [], []
    for cell in (0, 1):
        mine, base, theirs = (
            each[c == cell] for each, c in zip((x, train, fresh), cells, strict=True)
        )
        z.append(mann_whitney_z(gaps(mine, base), gaps(theirs, base)))
        weights.append(len(theirs))
    assert found.by_cell == pytest.approx(tuple(z), rel=1e-6)
    assert float(found) == pytest.approx(np.average(z, weights=weights), rel=1e-6)
    lone = data_copying_from_cells(*map(torch.from_numpy, (x, train, fresh)), *cells, 0.5)
    assert None in lone.by_cell


def test_falls_with_copies_and_rises_with_noise(draw):
    train, fresh, held_out = draw(400, 8, 1), draw(400, 8, 2), draw(400, 8, 3)
    found = []
    for share in (0, 100, 200, 400):
        mixed = fresh.copy()
        mixed[:share] = train[:share] + 0.01 * draw(400, 8, 4)[:share]
        found.append(float(data_copying(mixed, train, held_out)))
    assert abs(found[0]) < 3
    assert found == sorted(found, reverse=True)
    assert found[-1] < -10
    assert float(data_copying(fresh * 2, train, held_out)) > 5


def test_projection_is_used(draw):
    train, fresh, held_out = draw(400, 8, 1), draw(400, 8, 2), draw(400, 8, 3)
    wide = [
        np.concatenate([10 * x, 1e-4 * draw(400, 40, s)], 1)
        for s, x in enumerate((fresh, train, held_out))
    ]
    assert float(data_copying(*wide, dims=8)) == pytest.approx(
        float(data_copying(*wide, dims=None)), abs=0.05
    )


def test_bad_input(draw):
    with pytest.raises(UserError, match="fewer than 3 cells"):
        data_copying(draw(50), draw(2), draw(50))
    with pytest.raises(UserError, match="No cell"):
        data_copying(draw(30), draw(50), draw(30), least_share=1.0)
    with pytest.raises(UserError, match="held_out 4"):
        data_copying(draw(50), draw(50), draw(50, 4))
