import numpy as np
import pytest
import torch

from mtgan.errors import UserError
from mtgan.evaluation.metrics.frechet_distance import frechet_distance
from mtgan.evaluation.metrics.frechet_infinity import extrapolate, frechet_infinity


def test_a_line_is_extrapolated_exactly():
    sizes = (100, 200, 400, 800)
    found = extrapolate(sizes, tuple(3 + 50 / n for n in sizes))
    assert found.value == pytest.approx(3, abs=1e-12)
    assert found.slope == pytest.approx(50, rel=1e-12)
    assert found.standard_error == pytest.approx(0, abs=1e-10)


def test_fit_and_standard_error_equal_textbook_regression():
    scipy_stats = pytest.importorskip("scipy.stats")
    sizes, values = (100, 200, 400, 800, 900), (5.0, 4.2, 3.9, 3.3, 3.5)
    fit = scipy_stats.linregress([1 / n for n in sizes], values)
    found = extrapolate(sizes, values)
    assert found.value == pytest.approx(fit.intercept, rel=1e-10)
    assert found.standard_error == pytest.approx(fit.intercept_stderr, rel=1e-10)


def test_subsets_are_nested_and_end_at_the_whole_set(draw):
    x, y = draw(400, 60, 1) + 3, draw(400, 60, 2)
    found = frechet_infinity(x, y, points=5)
    assert found.sizes == (40, 130, 220, 310, 400)
    assert found.distances[-1] == pytest.approx(frechet_distance(x, y), rel=1e-9)
    generator = torch.Generator().manual_seed(0)
    orders = [torch.randperm(400, generator=generator).numpy() for _ in range(2)]
    for n, distance in zip(found.sizes, found.distances, strict=True):
        pair = (each[order[:n]] for each, order in zip((x, y), orders, strict=True))
        assert distance == pytest.approx(frechet_distance(*pair), rel=1e-8)
    again = frechet_infinity(x, y, points=5)
    assert again == found
    assert frechet_infinity(x, y, points=5, seed=1) != found


@pytest.mark.parametrize("both_sides", [True, False])
def test_removes_bias(draw, both_sides):
    """Two samples of one Gaussian: truth 0. The plain distance is far above, this is near."""
    x, y = draw(2000, 16, 1), draw(2000, 16, 2)
    found = frechet_infinity(x, y, smallest=400, both_sides=both_sides)
    plain = frechet_distance(x, y)
    left = abs(float(found)) / plain
    assert left < (0.35 if both_sides else 0.8)
    assert found.slope > 0


def test_finds_the_true_distance_of_shifted_sets(draw):
    found = [
        float(frechet_infinity(draw(1000, 16, s) + 0.5, draw(1000, 16, s + 50), points=6))
        for s in range(8)
    ]
    assert abs(np.mean(found) - 16 * 0.25) < 3 * np.std(found) / 8**0.5
    assert np.std(found) < 0.4


def test_too_few_sizes_or_samples(draw):
    with pytest.raises(UserError, match="points"):
        frechet_infinity(draw(), draw(), points=2)
    with pytest.raises(UserError, match="not distinct"):
        frechet_infinity(draw(10), draw(10), points=15)


@pytest.mark.filterwarnings("ignore::mtgan.evaluation.metrics.SmallSampleWarning")
@pytest.mark.parametrize(
    ("n", "d", "dead"), [(400, 60, 0), (400, 60, 7), (50, 60, 0), (90, 700, 0)]
)
def test_one_side_equals_the_distances_of_its_prefixes(draw, n, d, dead):
    """One product with the reference's factor serves all prefixes, shorter than D or longer."""
    x, y = 1.5 * draw(400, d, 1) + 3, draw(n, d, 2)
    x[:, :dead] = y[:, :dead] = 2.0
    found = frechet_infinity(x, y, points=5, both_sides=False)
    order = torch.randperm(400, generator=torch.Generator().manual_seed(0)).numpy()
    for size, distance in zip(found.sizes, found.distances, strict=True):
        assert distance == pytest.approx(frechet_distance(x[order[:size]], y), rel=1e-8)
