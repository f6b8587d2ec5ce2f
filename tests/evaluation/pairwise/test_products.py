import pytest
import torch

from mtgan.evaluation.pairwise.products import (
    add_symmetric,
    mirror,
    symmetric_product,
    triangular_product,
)


@pytest.mark.parametrize("width", [1, 5, 320, 321, 645, 1283])
def test_equals_the_full_product(width):
    """Odd widths are halved unevenly; the sum over blocks is that of the whole."""
    points = torch.randn(40, width, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    full = points.T @ points
    torch.testing.assert_close(symmetric_product(points), full, rtol=1e-12, atol=1e-12)
    total = torch.zeros(width, width, dtype=torch.float64)
    for block in points.split(13):
        add_symmetric(total, block)
    torch.testing.assert_close(mirror(total), full, rtol=1e-12, atol=1e-12)
    assert torch.equal(total, mirror(total.clone()))


@pytest.mark.parametrize("width", [1, 5, 320, 321, 645, 1283])
def test_triangular_equals_the_full_product(width):
    draw = torch.Generator().manual_seed(0)
    points = torch.randn(40, width, dtype=torch.float64, generator=draw)
    upper = torch.randn(width, width, dtype=torch.float64, generator=draw).triu()
    found = triangular_product(points, upper)
    torch.testing.assert_close(found, points @ upper.T, rtol=1e-12, atol=1e-12)
