import numpy as np
import pytest
import torch

from mtgan.evaluation.pairwise.projections import principal_axes, project


@pytest.mark.parametrize(("n", "offset"), [(400, 0), (400, 1e4), (20, 0)])
def test_axes_span_the_directions_of_largest_variance(draw, n, offset):
    """Against float64 eigenvectors: the same subspace, orthonormal, the largest first."""
    x = draw(n, 30).astype(np.float64) * np.geomspace(10, 0.1, 30) + offset
    mean, axes = principal_axes(torch.from_numpy(x), 4)
    np.testing.assert_allclose(mean, x.mean(0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(axes.T @ axes, np.eye(4), atol=1e-12)
    expected = np.linalg.eigh(np.cov(x.T))[1][:, :-5:-1]
    np.testing.assert_allclose(np.abs((expected * axes.numpy()).sum(0)), 1, atol=1e-6)
    spread = project(torch.from_numpy(x), mean, axes).var(dim=0).tolist()
    assert spread == sorted(spread, reverse=True)


@pytest.mark.parametrize("scale", [0, 1e-30, 1e30])
def test_scale_does_not_matter(draw, scale):
    mean, axes = principal_axes(torch.from_numpy(draw(50, 6) * np.float32(scale)), 9)
    assert axes.shape == (6, 6)
    np.testing.assert_allclose(axes.T @ axes, np.eye(6), atol=1e-12)
    assert torch.isfinite(mean).all()
