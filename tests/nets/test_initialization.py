"""How weights begin: by the formulas of their sources."""

import math

import pytest
import torch

from mtgan.parts import INITIALIZATIONS


def begun(name: str, *shape: int) -> torch.Tensor:
    weight = torch.empty(shape)
    INITIALIZATIONS.get(name)(weight, torch.Generator().manual_seed(0))
    return weight


def test_spread_by_the_layers_width() -> None:
    """64 maps of 3 x 3 in, 32 out: 576 connections come in, 288 go out."""
    uniform = begun("glorot-uniform", 32, 64, 3, 3)
    limit = math.sqrt(6 / (576 + 288))
    assert 0.99 * limit < uniform.abs().max() <= limit
    assert uniform.std().item() == pytest.approx(limit / math.sqrt(3), rel=0.02)
    he = begun("he-normal", 32, 64, 3, 3)
    assert he.std().item() == pytest.approx(math.sqrt(2 / (1.04 * 576)), rel=0.02)
    assert begun("normal-0.02", 32, 64, 3, 3).std().item() == pytest.approx(0.02, rel=0.02)


@pytest.mark.parametrize("shape", [(8, 4, 3, 3), (40, 3), (6, 6)])
def test_orthogonal_weights_keep_lengths(shape: tuple[int, ...]) -> None:
    matrix = begun("orthogonal", *shape).flatten(1)
    short = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    assert torch.allclose(short @ short.T, torch.eye(len(short)), atol=1e-5)
    assert not torch.equal(begun("orthogonal", *shape), torch.eye(*matrix.shape).view(shape))
