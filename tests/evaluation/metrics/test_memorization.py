import numpy as np
import pytest
import torch

from mtgan.errors import UserError
from mtgan.evaluation.metrics import memorization_fid as module
from mtgan.evaluation.metrics.frechet_distance import frechet_distance
from mtgan.evaluation.metrics.memorization_fid import (
    memorization_distance,
    memorization_distance_from_pass,
    memorization_fid,
)
from mtgan.evaluation.pairwise.pairs import pairwise_pass


def plain(x: np.ndarray, train: np.ndarray) -> float:
    x, train = (
        each / np.linalg.norm(each.astype(float), axis=1, keepdims=True) for each in (x, train)
    )
    return float((1 - np.abs(x @ train.T)).min(1).mean())


@pytest.mark.parametrize("block", [2048, 37])
def test_distance_equals_definition(draw, monkeypatch, block):
    monkeypatch.setattr(module, "BLOCK", block)
    x, train = draw(150, 8, 1), draw(300, 8, 2)
    assert memorization_distance(x, train) == pytest.approx(plain(x, train), rel=1e-9)
    passed = pairwise_pass(x, train, 1, cosine=True, block=block)
    assert memorization_distance_from_pass(passed) == pytest.approx(plain(x, train), rel=1e-9)
    with pytest.raises(UserError, match="cosine=True"):
        memorization_distance_from_pass(pairwise_pass(x, train, 1))


@pytest.mark.parametrize("threshold", [0.01, 0.9])
def test_equals_torchmetrics_with_swapped_roles(draw, threshold):
    """torchmetrics averages over the real set; MiFID is defined over the generated one."""
    mifid = pytest.importorskip("torchmetrics.image.mifid")
    x, train = (torch.from_numpy(each).double() for each in (draw(seed=1) + 0.3, draw(seed=2)))
    oracle = mifid._mifid_compute(
        x.mean(0), x.T.cov(), x, train.mean(0), train.T.cov(), train, cosine_distance_eps=threshold
    )
    found = memorization_fid(x, train, threshold)
    assert float(found) == pytest.approx(float(oracle), rel=1e-5)
    assert found.frechet == pytest.approx(frechet_distance(x, train), rel=1e-12)
    assert (found.value > found.frechet) == (threshold == 0.9)


def test_copies_are_found_and_punished(draw):
    train, fresh = draw(300, 8, 1), draw(300, 8, 2)
    distances = []
    for share in (0, 150, 300):
        mixed = fresh.copy()
        mixed[:share] = train[:share]
        distances.append(memorization_distance(mixed, train))
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 1e-12 < 0.05 < distances[0]
    most = np.concatenate([train[:290], 3 + draw(10, 8, 3)])
    assert memorization_fid(most, train).value > 10 * memorization_fid(most, train).frechet


def test_opposite_direction_and_length_count_as_copy(draw):
    x = draw(50, 8)
    assert memorization_distance(-7 * x, x) < 1e-12


def test_bad_input(draw):
    x = draw()
    x[4] = 0
    with pytest.raises(UserError, match="Row 4 of samples"):
        memorization_fid(x, draw())
    with pytest.raises(UserError, match="train_reference"):
        memorization_fid(draw(d=4), draw(d=5))
